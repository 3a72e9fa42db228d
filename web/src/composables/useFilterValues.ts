import { shallowRef } from 'vue'
import * as albums from '@/api/albums'
import * as timeline from '@/api/timeline'
import { FILTERS_OF, type FilterOf, type FilterValue } from '@/api/types'

type Known = Partial<Record<FilterOf | 'album', FilterValue[]>>

/** What the filters can be set to; asked for when somebody wants to see it. */
export function useFilterValues(library: () => string) {
  const values = shallowRef<Known>({})
  let of = ''

  async function load(): Promise<void> {
    const id = library()
    if (of !== id) values.value = {}
    of = id
    // One that cannot be had leaves the others useful.
    const tried = await Promise.allSettled([
      ...FILTERS_OF.map(async (name) => [name, await timeline.values(id, name)] as const),
      albums.all(id).then((found) => ['album', found.map(({ id: value, name: label, count }) => ({ value, label, count }))] as const),
    ])
    if (of !== id) return
    const found = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    values.value = { ...values.value, ...Object.fromEntries(found) }
  }

  return { values, load }
}
