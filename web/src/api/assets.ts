import { ask } from './ask'
import type { AssetDetails, BulkChanges, Changes } from './types'

/** As many as one request may name. */
const AT_ONCE = 5000

async function inPieces(ids: string[], send: (some: string[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < ids.length; start += AT_ONCE) await send(ids.slice(start, start + AT_ONCE))
}

export const details = (id: string): Promise<AssetDetails> => ask('GET', `/assets/${id}`)
export const change = (id: string, body: Changes): Promise<AssetDetails> => ask('PATCH', `/assets/${id}`, { body })

export const edit = (ids: string[], changes: BulkChanges): Promise<void> =>
  inPieces(ids, (some) => ask('POST', '/assets/edit', { body: { ids: some, changes } }))

export const retry = (ids: string[]): Promise<void> => inPieces(ids, (some) => ask('POST', '/assets/retry', { body: { ids: some } }))

export const move = (to: 'trash' | 'restore' | 'purge', ids: string[]): Promise<void> =>
  inPieces(ids, (some) => ask('POST', `/assets/${to}`, { body: { ids: some } }))
