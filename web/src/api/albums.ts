import { ask } from './ask'
import type { Album, AlbumChanges, Page, Share, ShareChanges, Tile } from './types'

export async function all(library: string): Promise<Album[]> {
  const found: Album[] = []
  let cursor: string | undefined
  do {
    const page = await ask<Page<Album>>('GET', '/albums', { query: { library, cursor } })
    found.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor)
  return found
}

export const one = (id: string): Promise<Album> => ask('GET', `/albums/${id}`)
export const create = (library_id: string, name: string): Promise<Album> => ask('POST', '/albums', { body: { library_id, name } })
export const change = (id: string, body: AlbumChanges): Promise<Album> => ask('PATCH', `/albums/${id}`, { body })
export const remove = (id: string): Promise<void> => ask('DELETE', `/albums/${id}`)
export const tiles = (id: string, cursor?: string): Promise<Page<Tile>> =>
  ask('GET', `/albums/${id}/assets`, { query: { cursor, limit: 500 } })
export const add = (id: string, ids: string[]): Promise<void> => ask('POST', `/albums/${id}/add`, { body: { ids } })
export const take = (id: string, ids: string[]): Promise<void> => ask('POST', `/albums/${id}/remove`, { body: { ids } })
export const reorder = (id: string, ids: string[], before: string | null): Promise<void> =>
  ask('POST', `/albums/${id}/move`, { body: { ids, before } })

export async function shares(album: string): Promise<Share[]> {
  return (await ask<{ items: Share[] }>('GET', `/albums/${album}/shares`)).items
}
export const share = (album: string, body: ShareChanges): Promise<Share> => ask('POST', `/albums/${album}/shares`, { body })
export const changeShare = (id: string, body: ShareChanges): Promise<Share> => ask('PATCH', `/shares/${id}`, { body })
export const endShare = (id: string): Promise<void> => ask('DELETE', `/shares/${id}`)
