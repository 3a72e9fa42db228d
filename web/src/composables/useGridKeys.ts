import { computed, onMounted, onUnmounted, ref, type ComputedRef, type Ref } from 'vue'
import type { Tile } from '@/api/types'
import type { Geometry } from '@/grid/geometry'
import type { TileSelection } from './useTileSelection'
import type { TileSource } from './useTileSource'

interface Grid {
  root: Ref<HTMLElement | null>
  source: TileSource
  selection: () => TileSelection | null
  geometry: ComputedRef<Geometry>
  shown: () => Tile[]
  reveal: (id: string) => Promise<void>
  remove: () => void
  favourite: () => void
}

/** One tile at a time is in the tab order; arrows move to the others. */
export function useGridKeys(grid: Grid) {
  const active = ref<string | null>(null)

  const focusable = computed(() => {
    const tiles = grid.shown()
    return (tiles.find(({ id }) => id === active.value) ?? tiles[0])?.id ?? null
  })

  /** The tile above or below: the one whose middle is the nearest in the next row. */
  function vertical(id: string, step: 1 | -1): string | null {
    const found = grid.source.find(id)
    const { parts } = grid.geometry.value
    let at = parts.findIndex(({ section }) => section.key === found?.section.key)
    let part = parts[at]
    if (!found || !part) return null
    const box = part.laid.boxes[found.index]
    let row = part.laid.rows.findIndex(({ from, to }) => found.index >= from && found.index < to) + step
    while (part && !part.laid.rows[row]) {
      part = parts[(at += step)]
      row = step > 0 ? 0 : (part?.laid.rows.length ?? 0) - 1
    }
    const next = part?.laid.rows[row]
    if (!part || !next || !box) return null
    const middle = box.x + box.width / 2
    let best = next.from
    for (let index = next.from; index < next.to; index += 1) {
      const other = part.laid.boxes[index]
      const known = part.laid.boxes[best]
      if (other && known && Math.abs(other.x + other.width / 2 - middle) < Math.abs(known.x + known.width / 2 - middle)) best = index
    }
    return part.section.tiles[best]?.id ?? null
  }

  async function move(id: string, key: string): Promise<void> {
    const sideways = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : null
    const next = sideways ? (await grid.source.neighbour(id, sideways))?.id : vertical(id, key === 'ArrowDown' ? 1 : -1)
    if (!next) return
    active.value = next
    await grid.reveal(next)
  }

  /** Keys on a tile. */
  function onKey(event: KeyboardEvent): void {
    const id = event.target instanceof HTMLElement ? event.target.dataset.tile : undefined
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return
    if (/^Arrow/.test(event.key)) void move(id, event.key)
    else if (event.key === ' ' && grid.selection()) {
      if (event.shiftKey) void grid.selection()?.range(id)
      else grid.selection()?.toggle(id)
    } else return
    event.preventDefault()
  }

  /** Keys are for the grid, unless somebody writes or answers something else. */
  function isForUs({ target }: KeyboardEvent): boolean {
    return !(target instanceof Element && target.closest('input, textarea, select, [role=dialog], [role=menu]'))
  }

  function onGlobalKey(event: KeyboardEvent): void {
    const selection = grid.selection()
    // Behind an open picture nothing is chosen.
    if (!selection || event.altKey || event.defaultPrevented || !isForUs(event) || grid.root.value?.closest('[inert]')) return
    const command = event.ctrlKey || event.metaKey
    const some = selection.count.value > 0
    if (event.key === 'Escape' && (some || selection.gathering.value !== null)) selection.clear()
    else if (event.key === 'Delete' && some) grid.remove()
    else if (event.code === 'KeyF' && !command && some) grid.favourite()
    else if (event.code === 'KeyA' && command) void selection.all()
    else return
    event.preventDefault()
  }

  onMounted(() => addEventListener('keydown', onGlobalKey))
  onUnmounted(() => removeEventListener('keydown', onGlobalKey))

  return { active, focusable, onKey }
}
