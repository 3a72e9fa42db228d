import { computed, shallowRef } from 'vue'

/** Which items of a list are chosen: one by one, a range at once, or all that are loaded. */
export function useSelection(order: () => string[]) {
  const marked = shallowRef<ReadonlySet<string>>(new Set())
  let anchor: string | null = null

  /** Without what has left the list meanwhile. */
  const chosen = computed(() => order().filter((id) => marked.value.has(id)))
  const count = computed(() => chosen.value.length)
  const isAll = computed(() => count.value > 0 && count.value === order().length)

  const has = (id: string): boolean => marked.value.has(id)

  /** Turns one over; with `range`, all from the last one on become what that one is. */
  function toggle(id: string, range = false): void {
    const ids = order()
    const next = new Set(marked.value)
    const from = anchor === null ? -1 : ids.indexOf(anchor)
    const to = ids.indexOf(id)
    if (range && anchor !== null && from !== -1 && to !== -1) {
      const on = next.has(anchor)
      for (const between of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) {
        if (on) next.add(between)
        else next.delete(between)
      }
    } else {
      if (!next.delete(id)) next.add(id)
      anchor = id
    }
    marked.value = next
  }

  function all(): void {
    marked.value = new Set(order())
  }

  function clear(): void {
    marked.value = new Set()
    anchor = null
  }

  return { chosen, count, isAll, has, toggle, all, clear }
}

export type Selection = ReturnType<typeof useSelection>
