import * as timeline from '@/api/timeline'
import { useBundled, useStream } from './useStream'
import type { Filters } from './useTimelineFilters'
import { useTileSource } from './useTileSource'

const PAGE = 500
const WHOLE_PAGE = 1000

/** The month a moment belongs to, as buckets are named. */
export const monthOf = (moment: string): string => `${moment.slice(0, 7)}-01`

interface Event {
  id?: string
  ids?: string[]
}

/** Collects ids of what changed, for the next time the list is brought up to date. */
export function useTouched(refresh: (touched: ReadonlySet<string> | 'all') => void, pause: () => number) {
  let touched = new Set<string>()
  const later = useBundled(() => {
    const now = touched
    touched = new Set()
    refresh(now)
  }, pause)
  const touch = ({ id, ids }: Event): void => {
    for (const one of ids ?? (id ? [id] : [])) touched.add(one)
    later()
  }
  return touch
}

/** A library's photos by months, the newest first; follows what happens to them. */
export function useTimeline(library: () => string, filters: () => Filters) {
  const query = () => ({ library: library(), ...filters() })
  const source = useTileSource({
    heads: async () => (await timeline.buckets(query())).items.map(({ bucket, count }) => ({ key: bucket, count })),
    page: (bucket, cursor) => timeline.tiles({ ...query(), bucket, cursor, limit: PAGE }),
    keeps: ({ archived, favourite }) => archived === (filters().archived === 'true') && (favourite || !filters().favourite),
    all: (cursor) => timeline.tiles({ ...query(), cursor, limit: WHOLE_PAGE }),
  })

  // While many arrive there is news all the time: the more is shown, the less often it is fetched again.
  const pause = (): number => Math.min(6000, 900 + source.total.value / 20)
  const touch = useTouched((touched) => void source.refresh(touched), pause)
  const gone = ({ id, ids }: Event): void => source.change(ids ?? (id ? [id] : []), () => null)
  useStream(
    {
      'asset.created': touch,
      'asset.changed': touch,
      'asset.restored': touch,
      'asset.trashed': gone,
      'asset.purged': gone,
    },
    () => void source.refresh('all'),
  )
  return source
}
