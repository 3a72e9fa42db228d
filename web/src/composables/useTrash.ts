import { ask } from '@/api/ask'
import { call, client } from '@/api/client'
import type { AssetTile, Page } from '@/api/types'
import { useBundled, useStream } from './useStream'
import { useTileSource } from './useTileSource'

const PAGE = 200

/** What is in a library's trash, the latest first. How much there is shows as one goes on. */
export function useTrash(library: string) {
  const page = (cursor: string | undefined, limit: number): Promise<Page<AssetTile>> =>
    ask('GET', '/assets', { query: { library, state: 'trashed', cursor, limit } })

  const source = useTileSource({
    heads: async () => ((await page(undefined, 1)).items.length ? [{ key: '', count: 1 }] : []),
    page: (_key, cursor) => page(cursor, PAGE),
  })

  const again = useBundled(() => void source.refresh('all'), () => 900)
  const gone = ({ id, ids }: { id?: string; ids?: string[] }): void => source.change(ids ?? (id ? [id] : []), () => null)
  useStream({ 'asset.trashed': again, 'asset.restored': gone, 'asset.purged': gone }, again)

  const emptyTrash = async (): Promise<void> => {
    await call(client.POST('/api/v1/libraries/{library_id}/trash/empty', { params: { path: { library_id: library } } }))
  }

  return { source, emptyTrash }
}
