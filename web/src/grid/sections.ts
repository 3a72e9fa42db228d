import type { Tile } from '@/api/types'

/** What stands under one heading: a month, or a whole album. Never changed, only replaced. */
export interface Section {
  key: string
  /** How many there are, loaded or not. */
  count: number
  tiles: Tile[]
  /** Where the next page begins; null when there is none, undefined when nothing was asked for. */
  next: string | null | undefined
  /** When the first of its tiles came; 0 when they are to be fetched again. */
  at: number
}

export interface SectionHead {
  key: string
  count: number
}

export const isComplete = ({ next }: Section): boolean => next === null

export const freshSection = ({ key, count }: SectionHead): Section => ({ key, count, tiles: [], next: undefined, at: 0 })

/** Keeps what has not changed as the same object: nothing of it is drawn again, and its links stay those the browser knows. */
export function mergeTiles(before: Tile[], now: Tile[], linksExpired: boolean): Tile[] {
  const known = new Map(before.map((tile) => [tile.id, tile]))
  return now.map((tile) => {
    const old = known.get(tile.id)
    return old && !linksExpired && isSame(old, tile) ? old : tile
  })
}

function isSame(one: Tile, other: Tile): boolean {
  return one.updated_at === other.updated_at && !one.thumb === !other.thumb && !one.video === !other.video
}

/** Takes new headings over what is loaded; what no longer fits is marked to be fetched again. */
export function mergeSections(before: Section[], heads: SectionHead[], isStale: (section: Section) => boolean): Section[] {
  const known = new Map(before.map((section) => [section.key, section]))
  return heads.map((head) => {
    const old = known.get(head.key)
    if (!old) return freshSection(head)
    if (old.count === head.count && !isStale(old)) return old
    return { ...old, count: head.count, at: 0 }
  })
}
