import { computed, onUnmounted, ref, shallowRef } from 'vue'
import { onTileNews } from './tileNews'
import type { TileSource } from './useTileSource'

/** Which tiles are chosen: one by one, a range at once, or everything, also what is not loaded. */
export function useTileSelection(source: Pick<TileSource, 'between' | 'everything'>) {
  const marked = shallowRef<ReadonlySet<string>>(new Set())
  const gathering = ref<number | null>(null)
  let anchor: string | null = null
  let round = 0

  const count = computed(() => marked.value.size)
  const ids = computed(() => [...marked.value])
  const has = (id: string): boolean => marked.value.has(id)

  function toggle(id: string): void {
    const next = new Set(marked.value)
    if (!next.delete(id)) next.add(id)
    anchor = id
    marked.value = next
  }

  /** All from the last one on become what that one is. */
  async function range(id: string): Promise<void> {
    if (anchor === null) return toggle(id)
    const on = marked.value.has(anchor)
    set(await source.between(anchor, id), on)
  }

  function set(some: string[], on: boolean): void {
    const next = new Set(marked.value)
    for (const id of some) {
      if (on) next.add(id)
      else next.delete(id)
    }
    marked.value = next
  }

  async function all(): Promise<void> {
    const mine = ++round
    gathering.value = 0
    try {
      const found = await source.everything((so) => {
        if (mine === round) gathering.value = so
        return mine === round
      })
      if (mine === round) marked.value = new Set(found)
    } finally {
      if (mine === round) gathering.value = null
    }
  }

  function clear(): void {
    round += 1
    gathering.value = null
    marked.value = new Set()
    anchor = null
  }

  onTileNews((news) => {
    if (news.kind === 'gone') set(news.ids, false)
  })
  onUnmounted(clear)

  return { count, ids, gathering, has, toggle, range, set, all, clear }
}

export type TileSelection = ReturnType<typeof useTileSelection>
