import { onUnmounted, ref, shallowRef, type Ref } from 'vue'
import type { Tile } from '@/api/types'
import type { Box } from '@/grid/justify'

interface Drag {
  enabled: () => boolean
  /** What is moved when this one is taken hold of. */
  ids: (id: string) => string[]
  tiles: () => Tile[]
  boxes: () => Box[]
  root: Ref<HTMLElement | null>
  place: (ids: string[], before: string | null) => void
}

const FAR_ENOUGH = 6
const EDGE = 90

/** Index of the tile before which something dropped at this point goes. */
export function gapAt(boxes: Box[], x: number, y: number): number {
  let row: Box | undefined
  for (const [at, box] of boxes.entries()) {
    if (y > box.y + box.height) continue
    // The first tile of the row under the pointer says which row it is.
    row ??= box
    if (box.y !== row.y) return at
    if (x < box.x + box.width / 2) return at
  }
  return boxes.length
}

/** Tiles taken by the mouse or pen and put down between two others. Keys have buttons for the same. */
export function useTileDrag(drag: Drag) {
  const moved = shallowRef<string[]>([])
  const bar = ref<Record<string, string> | null>(null)
  let start: { x: number; y: number; id: string } | null = null
  let gap = -1
  let scrolling = 0

  function onDown(event: PointerEvent): void {
    const id = (event.target as HTMLElement).closest<HTMLElement>('[data-tile]')?.dataset.tile
    if (!drag.enabled() || !id || event.button || event.pointerType === 'touch') return
    start = { x: event.clientX, y: event.clientY, id }
    addEventListener('pointermove', onMove)
    addEventListener('pointerup', onUp)
    addEventListener('keydown', onKey, true)
  }

  function onMove(event: PointerEvent): void {
    if (!start) return
    if (!moved.value.length) {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < FAR_ENOUGH) return
      moved.value = drag.ids(start.id)
    }
    const outer = drag.root.value?.getBoundingClientRect()
    if (!outer) return
    const boxes = drag.boxes()
    gap = gapAt(boxes, event.clientX - outer.left, event.clientY - outer.top)
    const next = boxes[gap]
    const last = boxes[gap - 1]
    const sameRow = next && last && next.y === last.y
    const at = next ?? last
    if (at) {
      const left = next ? next.x - (sameRow ? 5 : 0) : at.x + at.width + 1
      bar.value = { left: `${left}px`, top: `${at.y}px`, height: `${at.height}px` }
    }
    const edge = event.clientY < EDGE ? event.clientY - EDGE : Math.max(0, event.clientY - innerHeight + EDGE)
    cancelAnimationFrame(scrolling)
    if (edge) scrollOn(edge)
  }

  function scrollOn(by: number): void {
    window.scrollBy({ top: by / 6, behavior: 'instant' })
    scrolling = requestAnimationFrame(() => scrollOn(by))
  }

  function onUp(): void {
    const ids = moved.value
    if (ids.length) {
      // The click that follows is not meant.
      addEventListener('click', swallow, { capture: true, once: true })
      setTimeout(() => removeEventListener('click', swallow, { capture: true }))
      const rest = drag.tiles().slice(gap)
      drag.place(ids, rest.find(({ id }) => !ids.includes(id))?.id ?? null)
    }
    end()
  }

  function swallow(event: Event): void {
    event.preventDefault()
    event.stopPropagation()
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !moved.value.length) return
    event.stopPropagation()
    end()
  }

  function end(): void {
    start = null
    moved.value = []
    bar.value = null
    cancelAnimationFrame(scrolling)
    removeEventListener('pointermove', onMove)
    removeEventListener('pointerup', onUp)
    removeEventListener('keydown', onKey, true)
  }

  onUnmounted(end)
  return { moved, bar, onDown }
}
