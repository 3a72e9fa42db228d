import { call, client } from '@/api/client'
import type { Asset } from '@/api/types'
import { useBundled, useStream } from './useStream'
import { usePagedList } from './usePagedList'

const PAGE = 100
/** As many as one request may name. */
const AT_ONCE = 5000

interface Some {
  ids?: string[]
  id?: string
}

const idsOf = ({ ids, id }: Some): string[] => ids ?? (id ? [id] : [])

/** A library's assets, or what of them is in the trash; the list follows what happens to them. */
export function useAssets(libraryId: () => string | undefined, state: 'kept' | 'trashed') {
  const list = usePagedList<Asset>(
    async (cursor) => {
      const library = libraryId()
      if (!library) return { items: [] }
      return call(client.GET('/api/v1/assets', { params: { query: { library, state, cursor, limit: PAGE } } }))
    },
    (asset) => asset.id,
  )

  // The more there is to fetch again, the less often.
  const refresh = useBundled(
    () => void list.refresh(),
    () => 700 * Math.max(1, Math.ceil(list.items.value.length / PAGE)),
  )

  function drop(some: Some): void {
    const gone = new Set(idsOf(some))
    list.items.value = list.items.value.filter(({ id }) => !gone.has(id))
  }

  const kept = state === 'kept'
  useStream(
    {
      'asset.created': kept ? refresh : () => undefined,
      'asset.restored': kept ? refresh : drop,
      'asset.trashed': kept ? drop : refresh,
      'asset.purged': drop,
    },
    refresh,
  )

  async function move(to: 'trash' | 'restore' | 'purge', ids: string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const body = { ids: ids.slice(start, start + AT_ONCE) }
      if (to === 'trash') await call(client.POST('/api/v1/assets/trash', { body }))
      else if (to === 'restore') await call(client.POST('/api/v1/assets/restore', { body }))
      else await call(client.POST('/api/v1/assets/purge', { body }))
      drop(body)
    }
  }

  async function emptyTrash(): Promise<void> {
    const library_id = libraryId()
    if (!library_id) return
    await call(client.POST('/api/v1/libraries/{library_id}/trash/empty', { params: { path: { library_id } } }))
  }

  return { list, refresh, move, emptyTrash }
}
