import { computed, onUnmounted, ref, shallowRef } from 'vue'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Page, Tile } from '@/api/types'
import { freshSection, isComplete, mergeSections, mergeTiles, type Section, type SectionHead } from '@/grid/sections'
import { onTileNews } from './tileNews'

export interface TileFetch {
  heads: () => Promise<SectionHead[]>
  page: (key: string, cursor: string | undefined) => Promise<Page<Tile>>
  /** Of all sections, in order; where there is only one, its pages are enough. */
  all?: (cursor: string | undefined) => Promise<Page<Tile>>
  /** Whether a tile that was changed still belongs here. */
  keeps?: (tile: Tile) => boolean
}

/** A section near the viewport, and how many of its tiles are to be there. */
export interface Want {
  key: string
  upTo: number
}

const AT_ONCE = 3
const RETRY = 4000
/** Loaded tiles that are kept; beyond them, the sections that were left the longest ago are let go. */
const MOST = 8000
/** Signed links hold half an hour at least. */
const LINKS_HOLD = 25 * 60_000

/** Tiles by sections: loaded as they come near, let go when far, kept in step with what happens to them. */
export function useTileSource(fetch: TileFetch) {
  const sections = shallowRef<Section[]>([])
  const loaded = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)
  const total = computed(() => sections.value.reduce((sum, { count }) => sum + count, 0))
  const home = new Map<string, string>()
  const busy = new Map<string, Promise<void>>()
  const resting = new Map<string, number>()
  let wants: Want[] = []
  let round = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const sectionOf = (key: string): Section | undefined => sections.value.find((section) => section.key === key)

  function put(section: Section): void {
    sections.value = sections.value.map((other) => (other.key === section.key ? section : other))
    for (const { id } of section.tiles) home.set(id, section.key)
  }

  /** From nothing, as when another library or filter is looked at. */
  async function load(): Promise<void> {
    round += 1
    busy.clear()
    resting.clear()
    home.clear()
    sections.value = []
    loaded.value = false
    await refresh()
  }

  /** Asks for the headings again; what they say has changed is fetched again when it is near. */
  async function refresh(touched: ReadonlySet<string> | 'all' = new Set()): Promise<void> {
    const mine = round
    try {
      const heads = await fetch.heads()
      if (mine !== round) return
      const homes = touched === 'all' ? null : new Set([...touched].map((id) => home.get(id)))
      sections.value = mergeSections(sections.value, heads, ({ key }) => !homes || homes.has(key))
      loaded.value = true
      problem.value = null
      pump()
    } catch (error) {
      if (mine === round && !loaded.value) problem.value = toProblem(error)
    }
  }

  const isOld = ({ at, next }: Section): boolean => next !== undefined && Date.now() - at > LINKS_HOLD
  const needs = (section: Section, upTo: number): boolean =>
    isOld(section) || (!isComplete(section) && section.tiles.length < Math.max(1, upTo))

  function want(now: Want[]): void {
    wants = now
    pump()
  }

  function pump(): void {
    for (const { key, upTo } of wants) {
      if (busy.size >= AT_ONCE) return
      const section = sectionOf(key)
      if (!section || busy.has(key) || !needs(section, upTo) || (resting.get(key) ?? 0) > Date.now()) continue
      void fill(key).then(pump)
    }
  }

  /** Fetches the section's next page, or all its pages again where they are old. */
  function fill(key: string): Promise<void> {
    const under = busy.get(key)
    if (under) return under
    const mine = round
    const work = (async () => {
      try {
        const section = sectionOf(key)
        if (section) await (isOld(section) ? renew(section, mine) : extend(section, mine))
        resting.delete(key)
      } catch {
        // What is shown stays; the section is asked for again after a while.
        resting.set(key, Date.now() + RETRY)
        clearTimeout(timer)
        timer = setTimeout(pump, RETRY + 50)
      } finally {
        if (mine === round) busy.delete(key)
      }
    })()
    busy.set(key, work)
    return work
  }

  async function extend(section: Section, mine: number): Promise<void> {
    const page = await fetch.page(section.key, section.next ?? undefined)
    const now = sectionOf(section.key)
    if (mine !== round || !now) return
    const known = new Set(now.tiles.map(({ id }) => id))
    const tiles = [...now.tiles, ...page.items.filter(({ id }) => !known.has(id))]
    settle(now, tiles, page.next ?? null, now.at || Date.now())
  }

  async function renew(section: Section, mine: number): Promise<void> {
    const fresh: Tile[] = []
    const asked = Date.now()
    let next: string | undefined
    do {
      const page = await fetch.page(section.key, next)
      fresh.push(...page.items)
      next = page.next ?? undefined
      if (mine !== round) return
    } while (next && fresh.length < section.tiles.length)
    const now = sectionOf(section.key)
    if (!now) return
    const expired = section.at !== 0 && asked - section.at > LINKS_HOLD
    settle(now, mergeTiles(now.tiles, fresh, expired), next ?? null, asked)
  }

  function settle(section: Section, tiles: Tile[], next: string | null, at: number): void {
    // What the pages say is newer than what the heading said.
    const count = next === null ? tiles.length : Math.max(section.count, tiles.length + 1)
    put({ ...section, tiles, next, at, count })
    letGo()
  }

  function letGo(): void {
    let held = sections.value.reduce((sum, { tiles }) => sum + tiles.length, 0)
    if (held <= MOST) return
    const near = new Set(wants.map(({ key }) => key))
    const far = sections.value.filter(({ key, tiles }) => tiles.length && !near.has(key)).sort((one, other) => one.at - other.at)
    for (const section of far) {
      if (held <= MOST) return
      held -= section.tiles.length
      put({ ...freshSection(section) })
    }
  }

  function find(id: string): { section: Section; index: number } | null {
    const section = sectionOf(home.get(id) ?? '')
    const index = section?.tiles.findIndex((tile) => tile.id === id) ?? -1
    return section && index >= 0 ? { section, index } : null
  }

  const tileOf = (id: string): Tile | null => {
    const place = find(id)
    return place?.section.tiles[place.index] ?? null
  }

  /** Loads a section to its end. */
  async function complete(key: string): Promise<Section | undefined> {
    for (let turn = 0; turn < 200; turn += 1) {
      const section = sectionOf(key)
      if (!section || (isComplete(section) && section.at)) return section
      await fill(key)
      if (resting.has(key)) return sectionOf(key)
    }
    return sectionOf(key)
  }

  /** The one before or behind, in whichever section it is. */
  async function neighbour(id: string, step: 1 | -1): Promise<Tile | null> {
    const place = find(id)
    if (!place) return null
    const near = place.section.tiles[place.index + step]
    if (near) return near
    const own = step > 0 ? await complete(place.section.key) : place.section
    const further = own?.tiles[(find(id)?.index ?? place.index) + step]
    if (further) return further
    let at = sections.value.findIndex(({ key }) => key === place.section.key) + step
    for (; at >= 0 && at < sections.value.length; at += step) {
      const other = sections.value[at]
      const tiles = other && other.count ? (await complete(other.key))?.tiles : undefined
      if (tiles?.length) return (step > 0 ? tiles[0] : tiles.at(-1)) ?? null
    }
    return null
  }

  /** All ids from one to another, both included, whichever comes first. */
  async function between(one: string, other: string): Promise<string[]> {
    const ends = [one, other].map((id) => sections.value.findIndex(({ key }) => key === home.get(id)))
    const [first, last] = [Math.min(...ends), Math.max(...ends)]
    if (first < 0) return [other]
    const ids: string[] = []
    for (const { key } of sections.value.slice(first, last + 1)) {
      const tiles = (first === last ? sectionOf(key) : await complete(key))?.tiles ?? []
      ids.push(...tiles.map(({ id }) => id))
    }
    const at = [ids.indexOf(one), ids.indexOf(other)]
    return ids.slice(Math.min(...at), Math.max(...at) + 1)
  }

  /** The ids of everything, loaded or not; `tell` hears how many there are so far and may stop it. */
  async function everything(tell: (count: number) => boolean): Promise<string[]> {
    const ids: string[] = []
    const only = sections.value[0]?.key ?? ''
    let cursor: string | undefined
    do {
      const page = fetch.all ? await fetch.all(cursor) : await fetch.page(only, cursor)
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next ?? undefined
    } while (tell(ids.length) && cursor)
    return ids
  }

  /** Loads what is needed for the tile to be found, given when it was taken. */
  async function reach(id: string, key: string): Promise<boolean> {
    if (!find(id)) await complete(key)
    return find(id) !== null
  }

  function change(ids: string[], to: (tile: Tile) => Tile | null): void {
    const wanted = new Set(ids)
    const homes = new Set(ids.map((id) => home.get(id)))
    sections.value = sections.value
      .map((section) => {
        if (!homes.has(section.key)) return section
        const tiles = section.tiles.flatMap((tile) => (wanted.has(tile.id) ? (to(tile) ?? []) : tile))
        return { ...section, tiles, count: section.count - (section.tiles.length - tiles.length) }
      })
      .filter(({ count }) => count > 0)
  }

  /** Another order of a single section's tiles, as somebody has just put them. */
  function arrange(tiles: Tile[]): void {
    const [section] = sections.value
    if (section) put({ ...section, tiles })
  }

  const kept = (tile: Tile): Tile | null => (fetch.keeps?.(tile) ?? true ? tile : null)

  onTileNews((news) => {
    if (news.kind === 'patched') change(news.ids, (tile) => kept({ ...tile, ...news.changes }))
    else if (news.kind === 'gone') change(news.ids, () => null)
    else void refresh(new Set(news.ids))
  })
  onUnmounted(() => {
    round += 1
    clearTimeout(timer)
  })

  return {
    sections, total, loaded, problem, load, refresh, want, find, tileOf, neighbour, between, everything, reach, complete, change, arrange,
    knows: (id: string) => home.has(id),
  }
}

export type TileSource = ReturnType<typeof useTileSource>
