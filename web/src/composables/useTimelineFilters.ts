import { computed } from 'vue'
import { useRoute, useRouter, type LocationQuery } from 'vue-router'

export const FILTER_NAMES = [
  'kind', 'favourite', 'archived', 'camera', 'lens', 'place', 'country', 'from', 'to', 'album', 'tag', 'rating',
  'uploader', 'batch', 'problem',
] as const
export type FilterName = (typeof FILTER_NAMES)[number]
export type Filters = Partial<Record<FilterName, string>>

/** From the address: what it does not know is left alone. */
export function filtersOf(query: LocationQuery): Filters {
  const found: Filters = {}
  for (const name of FILTER_NAMES) {
    const given = query[name]
    const value = Array.isArray(given) ? given[0] : given
    if (value) found[name] = value
  }
  return found
}

/** What of a library is looked at. It is kept in the address, so it can be gone back to and passed on. */
export function useTimelineFilters() {
  const route = useRoute()
  const router = useRouter()
  const filters = computed(() => filtersOf(route.query))
  const active = computed(() => Object.keys(filters.value) as FilterName[])

  async function set(changes: Partial<Record<FilterName, string | undefined>>): Promise<void> {
    const query: LocationQuery = { ...route.query }
    for (const [name, value] of Object.entries(changes)) {
      if (value) query[name] = value
      else delete query[name]
    }
    await router.replace({ query })
  }

  const clear = (): Promise<void> => set(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])))

  return { filters, active, set, clear }
}
