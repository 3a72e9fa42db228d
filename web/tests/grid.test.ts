import { describe, expect, it } from 'vitest'
import type { Tile } from '@/api/types'
import { placesFor } from '@/components/albums/places'
import { changesOf, emptyForm, minutesOf } from '@/components/selection/bulk'
import { exposureOf } from '@/components/viewer/exposure'
import { offsetOf, writtenOffset } from '@/components/viewer/offset'
import { gapAt } from '@/composables/useTileDrag'
import { useTileSelection } from '@/composables/useTileSelection'
import { filtersOf } from '@/composables/useTimelineFilters'
import { duration } from '@/composables/useFormat'
import { anchorAt, partAt, rowAt, useGeometry, yOf } from '@/grid/geometry'
import { estimate, justify, ratioOf, type Metrics } from '@/grid/justify'
import { freshSection, mergeSections, mergeTiles, type Section } from '@/grid/sections'
import { decodeThumbhash } from '@/grid/thumbhash'

const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

describe('a thumbhash', () => {
  // What the reference implementation makes of them: corners and middle.
  it.each([
    ['1QcSHQRnh493V4dIh4eXh1h4kJUI', 23, 32, [[64, 77, 113, 255], [84, 109, 139, 255], [140, 109, 88, 255], [0, 12, 42, 255], [0, 4, 39, 255]]],
    ['3PcNNYSFeXh/k3oGLPe2d4d2hQ==', 32, 23, [[77, 160, 159, 255], [255, 255, 255, 255], [176, 139, 145, 255], [0, 0, 0, 255], [75, 121, 106, 255]]],
    ['F7iFIw5JUlB4eHdSUCj1io91h3h4iHg=', 19, 32, [[15, 27, 111, 255], [107, 63, 89, 79], [94, 115, 88, 128], [2, 203, 85, 226], [97, 148, 73, 80]]],
  ])('%s is decoded as by the reference', (hash, width, height, expected) => {
    const pixels = decodeThumbhash(bytes(hash))
    expect([pixels.width, pixels.height]).toEqual([width, height])
    const places = [[0, 0], [width - 1, 0], [width >> 1, height >> 1], [0, height - 1], [width - 1, height - 1]]
    places.forEach(([x = 0, y = 0], nth) => {
      const at = (y * width + x) * 4
      // The reference cuts off, a clamped array rounds.
      expected[nth]?.forEach((value, channel) => expect(Math.abs((pixels.rgba[at + channel] ?? 0) - value)).toBeLessThanOrEqual(1))
    })
  })

  it('that is cut short is no reason to fail', () => {
    expect(decodeThumbhash(new Uint8Array([1, 2, 3])).height).toBeGreaterThan(0)
  })
})

const metrics: Metrics = { width: 1000, target: 200, gap: 10, dayLine: 0 }
const shapes = (ratios: number[], days: string[] = []) => ratios.map((ratio, nth) => ({ ratio, day: days[nth] ?? '' }))

describe('justified rows', () => {
  it('end where the width ends, and never leave a tile out', () => {
    const laid = justify(shapes(Array.from({ length: 100 }, (_, nth) => 0.6 + ((nth * 37) % 20) / 10)), metrics)
    expect(laid.boxes).toHaveLength(100)
    expect(laid.rows.at(-1)?.to).toBe(100)
    laid.rows.slice(0, -1).forEach(({ to, height }) => {
      const last = laid.boxes[to - 1]
      expect(Math.abs((last?.x ?? 0) + (last?.width ?? 0) - 1000)).toBeLessThanOrEqual(1)
      expect(height).toBeGreaterThan(110)
      expect(height).toBeLessThan(320)
    })
    laid.rows.forEach((row, nth) => expect(row.from).toBe(laid.rows[nth - 1]?.to ?? 0))
  })

  it('do not stretch a last row that is not full', () => {
    const laid = justify(shapes([1, 1]), metrics)
    expect(laid.boxes.map(({ height }) => height)).toEqual([200, 200])
    expect(laid.height).toBe(200)
  })

  it('give a panorama a row of its own', () => {
    const laid = justify(shapes([3, 3, 3, 3]), metrics)
    expect(Math.max(...laid.rows.map(({ height }) => height))).toBeLessThan(350)
  })

  it('name a day once, above its first tile', () => {
    const days = ['b', 'b', 'a', 'a', 'a', 'a', 'a', 'a']
    const laid = justify(shapes([1, 1, 1, 1, 1, 1, 1, 1], days), { ...metrics, dayLine: 30 })
    expect(laid.days.map(({ day, from }) => [day, from])).toEqual([['b', 0], ['a', 2]])
    expect(laid.days[1]?.x).toBe(laid.boxes[2]?.x)
    expect(laid.rows[0]?.y).toBe(30)
    // The next row begins no day: no room is kept.
    expect((laid.rows[1]?.y ?? 0) - (laid.rows[0]?.y ?? 0) - (laid.rows[0]?.height ?? 0)).toBe(10)
  })

  it('crop what is out of proportion, and take what is unknown as square', () => {
    expect([ratioOf(9000, 100), ratioOf(100, 9000), ratioOf(null, null)]).toEqual([3, 0.5, 1])
  })

  it('are about as high as guessed', () => {
    const ratios = Array.from({ length: 400 }, (_, nth) => (nth % 3 ? 1.5 : 0.75))
    const guessed = estimate(400, 1.25, metrics)
    expect(Math.abs(justify(shapes(ratios), metrics).height - guessed) / guessed).toBeLessThan(0.15)
  })
})

const tile = (id: string, more: Partial<Tile> = {}): Tile => ({
  id, kind: 'photo', name: id, taken_at: '2024-05-01T10:00:00.000', taken_offset: null, width: 100, height: 100, duration_ms: null, thumbhash: null,
  thumb: 't', preview: null, clip: null, video: null, motion: null, favourite: false, archived: false, rating: null, problem: null, parts: [], updated_at: '1', ...more,
})
const tiles = (count: number, prefix = ''): Tile[] => Array.from({ length: count }, (_, nth) => tile(`${prefix}${nth}`))
const section = (key: string, count: number, loaded: Tile[] = []): Section => ({ ...freshSection({ key, count }), tiles: loaded })

describe('the grid’s geometry', () => {
  it('keeps a tile in its place when a section above turns out higher', () => {
    const place = useGeometry()
    const below = section('b', 50, tiles(50, 'b'))
    const before = place([section('a', 300), below], metrics, 40, 20)
    const after = place([section('a', 300, tiles(300, 'a').map((one) => ({ ...one, width: 50 }))), below], metrics, 40, 20)
    const y = (before.parts[1]?.top ?? 0) + 40 + 250
    const anchor = anchorAt(before, y)
    expect(anchor?.id).toMatch(/^b/)
    const moved = yOf(after, anchor!)
    expect(moved! - (after.parts[1]?.top ?? 0)).toBeCloseTo(y - (before.parts[1]?.top ?? 0))
    expect(after.parts[1]?.top).not.toBe(before.parts[1]?.top)
  })

  it('keeps what is seen, not what is above it and not loaded yet', () => {
    const place = useGeometry()
    const below = section('b', 50, tiles(50, 'b'))
    const before = place([section('a', 300), below], metrics, 40, 20)
    const y = (before.parts[1]?.top ?? 0) - 300
    expect(anchorAt(before, y, 100)).toEqual({ key: 'a', id: null, offset: y / (before.parts[0]?.height ?? 1) })
    const anchor = anchorAt(before, y, 800)
    expect(anchor).toEqual({ key: 'b', id: 'b0', offset: -340 })
    const after = place([section('a', 300, tiles(300, 'a')), below], metrics, 40, 20)
    expect(yOf(after, anchor!)).toBe((after.parts[1]?.top ?? 0) - 300)
  })

  it('keeps the height of what was let go', () => {
    const place = useGeometry()
    const loaded = place([section('a', 90, tiles(90).map((one) => ({ ...one, width: 290 })))], metrics, 0, 0)
    expect(place([section('a', 90)], metrics, 0, 0).height).toBe(loaded.height)
  })

  it('finds parts and rows by their height', () => {
    const place = useGeometry()
    const geometry = place([section('a', 40, tiles(40, 'a')), section('b', 40, tiles(40, 'b'))], metrics, 0, 0)
    expect(partAt(geometry, (geometry.parts[1]?.top ?? 0) + 1)).toBe(1)
    const { laid } = geometry.parts[0]!
    expect(rowAt(laid, (laid.rows[2]?.y ?? 0) + 1)).toBe(2)
    expect(rowAt(laid, 1e9)).toBe(laid.rows.length)
  })
})

describe('what is fetched again', () => {
  it('stays the same object where nothing changed', () => {
    const before = tiles(3)
    const now = [tile('0', { thumb: 'signed anew' }), tile('1', { updated_at: '2' }), tile('3')]
    const merged = mergeTiles(before, now, false)
    expect(merged[0]).toBe(before[0])
    expect(merged[1]).toBe(now[1])
    expect(mergeTiles(before, now, true)[0]).toBe(now[0])
  })

  it('is only what has changed', () => {
    const whole = { ...section('a', 2, tiles(2)), next: null, at: 5 }
    const other = { ...section('b', 1, tiles(1)), next: null, at: 5 }
    const merged = mergeSections([whole, other], [{ key: 'c', count: 1 }, { key: 'a', count: 3 }, { key: 'b', count: 1 }], () => false)
    expect(merged.map(({ key, count, at }) => [key, count, at])).toEqual([['c', 1, 0], ['a', 3, 0], ['b', 1, 5]])
    expect(merged[2]).toBe(other)
  })
})

describe('choosing tiles', () => {
  const order = [...'abcdef']
  const source = {
    between: async (one: string, other: string) => {
      const at = [order.indexOf(one), order.indexOf(other)]
      return order.slice(Math.min(...at), Math.max(...at) + 1)
    },
    everything: async (tell: (count: number) => boolean) => (tell(3) ? order : []),
  }

  it('goes one by one, and by ranges that take what the first one is', async () => {
    const selection = useTileSelection(source)
    selection.toggle('b')
    await selection.range('d')
    expect(selection.ids.value.sort()).toEqual(['b', 'c', 'd'])
    selection.toggle('d')
    await selection.range('c')
    expect(selection.ids.value).toEqual(['b'])
  })

  it('takes everything, unless it was called off meanwhile', async () => {
    const selection = useTileSelection(source)
    await selection.all()
    expect(selection.count.value).toBe(6)
    const again = selection.all()
    selection.clear()
    await again
    expect(selection.count.value).toBe(0)
    expect(selection.gathering.value).toBeNull()
  })
})

describe('an order by hand', () => {
  it.each([
    ['bc', 'a', 'e'], ['a', undefined, 'c'], ['e', 'd', undefined], ['d', 'c', null], ['ac', 'b', 'd'], ['', undefined, undefined],
  ])('moves %s before %s or %s', (chosen, earlier, later) => {
    expect(placesFor([...'abcde'], [...chosen])).toMatchObject({ earlier, later })
  })

  it('drops between two tiles, also at the end of a row', () => {
    const boxes = [0, 110, 220].flatMap((x) => [{ x, y: 0, width: 100, height: 100 }]).concat({ x: 0, y: 110, width: 100, height: 100 })
    expect([gapAt(boxes, 10, 50), gapAt(boxes, 90, 50), gapAt(boxes, 900, 50), gapAt(boxes, 90, 150)]).toEqual([0, 1, 3, 4])
  })
})

describe('words for the archive', () => {
  it.each([['-1:30', -90], ['2', 120], ['+0:05', 5], ['−1', -60], ['soon', null], ['1:75', null]])('%s is %s minutes', (written, minutes) => {
    expect(minutesOf(written)).toBe(minutes)
  })

  it('say only what was asked for', () => {
    expect(changesOf(emptyForm())).toEqual({})
    expect(changesOf({ ...emptyForm(), when: 'shift', shift: '-1', addTags: 'sea, sun,, sea' })).toEqual({ shift_minutes: -60, add_tags: ['sea', 'sun'] })
    expect(changesOf({ ...emptyForm(), rates: true, describes: true })).toEqual({ rating: 0, description: null })
  })

  it.each([[180, '+03:00'], [-210, '−03:30'], [0, '+00:00'], [null, '']])('%s minutes east are %s', (minutes, written) => {
    expect(writtenOffset(minutes)).toBe(written)
    expect(offsetOf(written)).toBe(minutes)
  })

  it('name how the camera was set', () => {
    const metadata = { exposure: { aperture: 2.8, time: '1/250', iso: 100, focal_mm: 35 } }
    expect(exposureOf(metadata, String)).toEqual(['ƒ/2.8', '1/250 s', 'ISO 100', '35 mm'])
    expect(exposureOf(null, String)).toEqual([])
  })

  it.each([[3000, '0:03'], [65_400, '1:05'], [3_725_000, '1:02:05'], [10, '0:01']])('%d ms are %s', (length, written) => {
    expect(duration(length)).toBe(written)
  })

  it('take filters from the address', () => {
    expect(filtersOf({ kind: 'video', camera: ['A', 'B'], rating: '', other: 'x', page: null })).toEqual({ kind: 'video', camera: 'A' })
  })
})
