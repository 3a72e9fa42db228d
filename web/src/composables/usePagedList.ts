import { ref, shallowRef, type Ref } from 'vue'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Page } from '@/api/types'

export interface PagedList<T> {
  items: Ref<T[]>
  hasMore: Ref<boolean>
  loading: Ref<boolean>
  loaded: Ref<boolean>
  problem: Ref<ApiProblem | null>
  load: () => Promise<void>
  more: () => Promise<void>
  retry: () => Promise<void>
  refresh: () => Promise<void>
  upsert: (item: T) => void
  remove: (key: string) => void
}

export function usePagedList<T>(
  fetchPage: (cursor: string | undefined) => Promise<Page<T>>,
  keyOf: (item: T) => string,
): PagedList<T> {
  const items = shallowRef<T[]>([])
  const hasMore = ref(false)
  const loading = ref(false)
  const loaded = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)
  let cursor: string | undefined
  let lastStart: string | undefined
  let round = 0

  async function fetchFrom(start: string | undefined): Promise<void> {
    const mine = ++round
    lastStart = start
    loading.value = true
    problem.value = null
    try {
      const page = await fetchPage(start)
      if (mine !== round) return // a newer load overtook this one
      const known = new Set(page.items.map(keyOf))
      const before = start ? items.value.filter((item) => !known.has(keyOf(item))) : []
      items.value = [...before, ...page.items]
      cursor = page.next ?? undefined
      hasMore.value = cursor !== undefined
      loaded.value = true
    } catch (error) {
      if (mine === round) problem.value = toProblem(error)
    } finally {
      if (mine === round) loading.value = false
    }
  }

  async function more(): Promise<void> {
    if (cursor && !loading.value) await fetchFrom(cursor)
  }

  /** Fetches afresh, unseen, as much as is shown; what fails leaves what is shown. */
  async function refresh(): Promise<void> {
    const mine = ++round
    const shown = items.value.length
    const fresh: T[] = []
    let next: string | undefined
    try {
      do {
        const page = await fetchPage(next)
        if (mine !== round) return
        fresh.push(...page.items)
        next = page.next ?? undefined
      } while (next && fresh.length < shown)
      items.value = fresh
      cursor = next
      hasMore.value = cursor !== undefined
      loaded.value = true
      problem.value = null
    } catch (error) {
      if (mine === round && !loaded.value) problem.value = toProblem(error)
    } finally {
      if (mine === round) loading.value = false
    }
  }

  /** Replaces the item where it stands, or puts a new one first. */
  function upsert(item: T): void {
    const key = keyOf(item)
    const known = items.value.some((other) => keyOf(other) === key)
    items.value = known
      ? items.value.map((other) => (keyOf(other) === key ? item : other))
      : [item, ...items.value]
  }

  function remove(key: string): void {
    items.value = items.value.filter((item) => keyOf(item) !== key)
  }

  return {
    items,
    hasMore,
    loading,
    loaded,
    problem,
    load: () => fetchFrom(undefined),
    more,
    retry: () => fetchFrom(lastStart),
    refresh,
    upsert,
    remove,
  }
}
