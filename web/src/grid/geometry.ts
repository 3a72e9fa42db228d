import type { Tile } from '@/api/types'
import { estimate, justify, ratioOf, type Laid, type Metrics } from './justify'
import type { Section } from './sections'

/** Where a section stands, and where its loaded tiles are in it. */
export interface Part {
  section: Section
  top: number
  /** Above the tiles, for its heading. */
  head: number
  height: number
  laid: Laid
}

export interface Geometry {
  parts: Part[]
  height: number
}

export interface Anchor {
  key: string
  id: string | null
  /** From the tile's top to the place that is meant; without a tile, which part of the section's height lies above it. */
  offset: number
}

const USUAL_RATIO = 1.4

/** Remembers what was laid out: a section is measured again only when its tiles or the width change. */
export function useGeometry() {
  const laidOf = new WeakMap<Tile[], { laid: Laid; metrics: string }>()
  const heights = new Map<string, { height: number; of: string }>()

  function layOut(tiles: Tile[], metrics: Metrics): Laid {
    const written = JSON.stringify(metrics)
    const known = laidOf.get(tiles)
    if (known?.metrics === written) return known.laid
    const shapes = tiles.map(({ width, height, taken_at }) => ({ ratio: ratioOf(width, height), day: taken_at.slice(0, 10) }))
    const laid = justify(shapes, metrics)
    laidOf.set(tiles, { laid, metrics: written })
    return laid
  }

  function heightOf(section: Section, laid: Laid, metrics: Metrics): number {
    const of = `${section.count}:${metrics.width}`
    const missing = section.count - section.tiles.length
    const known = heights.get(section.key)
    // One that was let go comes back as high as it was.
    if (!section.tiles.length && known?.of === of) return known.height
    const days = metrics.dayLine && missing ? Math.min(missing, 3) * metrics.dayLine : 0
    const rest = missing ? estimate(missing, USUAL_RATIO, metrics) + days + (laid.height ? metrics.gap : 0) : 0
    const height = laid.height + rest
    if (!missing) heights.set(section.key, { height, of })
    return height
  }

  return function place(sections: Section[], metrics: Metrics, head: number, between: number): Geometry {
    const parts: Part[] = []
    let top = 0
    for (const section of sections) {
      const laid = layOut(section.tiles, metrics)
      const height = head + heightOf(section, laid, metrics)
      parts.push({ section, top, head, height, laid })
      top += height + between
    }
    return { parts, height: Math.max(0, top - between) }
  }
}

/** Index of the part at this height. */
export function partAt({ parts }: Geometry, y: number): number {
  let [low, high] = [0, parts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((parts[middle]?.top ?? 0) <= y) low = middle
    else high = middle - 1
  }
  return low
}

/** What is seen and should stay where it is: the first tile in sight, for what is above it may not be loaded yet. */
export function anchorAt(geometry: Geometry, y: number, view = 0): Anchor | null {
  const first = partAt(geometry, y)
  for (const part of geometry.parts.slice(first)) {
    if (part.top > y + view) break
    const inside = y - part.top - part.head
    const row = part.laid.rows[rowAt(part.laid, inside)]
    const tile = row && row.y <= inside + view ? part.section.tiles[row.from] : undefined
    if (tile && row) return { key: part.section.key, id: tile.id, offset: inside - row.y }
  }
  const part = geometry.parts[first]
  return part ? { key: part.section.key, id: null, offset: (y - part.top) / Math.max(1, part.height) } : null
}

export function yOf(geometry: Geometry, anchor: Anchor): number | null {
  const part = geometry.parts.find(({ section }) => section.key === anchor.key)
  if (!part) return null
  const index = anchor.id ? part.section.tiles.findIndex(({ id }) => id === anchor.id) : -1
  const box = part.laid.boxes[index]
  if (box) return part.top + part.head + box.y + anchor.offset
  return part.top + (anchor.id ? 0 : anchor.offset * part.height)
}

/** Index of the first row that ends below this height. */
export function rowAt({ rows }: Laid, y: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]
    if (row && row.y + row.height <= y) low = middle + 1
    else high = middle
  }
  return low
}
