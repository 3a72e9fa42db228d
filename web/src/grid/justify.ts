/** Lays pictures into rows of the same width, each as high as its pictures need to fill it. */

export interface Shape {
  /** Width by height. */
  ratio: number
  day: string
}

export interface Metrics {
  width: number
  /** The height a row should come close to. */
  target: number
  gap: number
  /** The height of the line that names the days which begin in a row; 0 for none. */
  dayLine: number
}

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface Row {
  y: number
  height: number
  /** Index of the first picture, and of the one behind the last. */
  from: number
  to: number
}

export interface DayLabel {
  day: string
  x: number
  y: number
  width: number
  /** Index of the day's first picture. */
  from: number
}

export interface Laid {
  height: number
  boxes: Box[]
  rows: Row[]
  days: DayLabel[]
}

const NARROWEST = 0.5
const WIDEST = 3

/** What is narrower or wider than this is cropped in the grid. */
export const ratioOf = (width: number | null, height: number | null): number =>
  width && height ? Math.min(WIDEST, Math.max(NARROWEST, width / height)) : 1

export function justify(shapes: Shape[], metrics: Metrics): Laid {
  const laid: Laid = { height: 0, boxes: [], rows: [], days: [] }
  let from = 0
  let ratios = 0
  for (let at = 0; at < shapes.length; at += 1) {
    const ratio = shapes[at]?.ratio ?? 1
    const without = heightFor(ratios, at - from, metrics)
    ratios += ratio
    const withIt = heightFor(ratios, at - from + 1, metrics)
    if (withIt > metrics.target) continue
    // The row is full; whichever is closer to the target: with this one, or without it.
    if (at > from && without - metrics.target < metrics.target - withIt) {
      addRow(laid, shapes, from, at, without, metrics)
      from = at
      ratios = ratio
      if (heightFor(ratios, 1, metrics) > metrics.target) continue
    }
    addRow(laid, shapes, from, at + 1, heightFor(ratios, at - from + 1, metrics), metrics)
    from = at + 1
    ratios = 0
  }
  // A last row that is not full keeps the usual height.
  if (from < shapes.length) addRow(laid, shapes, from, shapes.length, metrics.target, metrics)
  laid.height = Math.max(0, laid.height - metrics.gap)
  return laid
}

function heightFor(ratios: number, count: number, { width, gap }: Metrics): number {
  return ratios ? (width - gap * (count - 1)) / ratios : Infinity
}

function addRow(laid: Laid, shapes: Shape[], from: number, to: number, height: number, metrics: Metrics): void {
  const begins = metrics.dayLine ? daysIn(shapes, from, to) : []
  const y = laid.height + (begins.length ? metrics.dayLine : 0)
  const tall = Math.round(height)
  let x = 0
  for (let at = from; at < to; at += 1) {
    // Rounded edges, not widths: the row ends where the others end.
    const left = Math.round(x)
    const width = Math.round(x + (shapes[at]?.ratio ?? 1) * height) - left
    laid.boxes.push({ x: left, y, width, height: tall })
    x += (shapes[at]?.ratio ?? 1) * height + metrics.gap
  }
  for (const [nth, at] of begins.entries()) {
    const left = laid.boxes[at]?.x ?? 0
    const nextDay = begins[nth + 1]
    const right = nextDay === undefined ? metrics.width : (laid.boxes[nextDay]?.x ?? 0) - metrics.gap
    laid.days.push({ day: shapes[at]?.day ?? '', x: left, y: laid.height, width: right - left, from: at })
  }
  laid.rows.push({ y, height: tall, from, to })
  laid.height = y + tall + metrics.gap
}

function daysIn(shapes: Shape[], from: number, to: number): number[] {
  const begins: number[] = []
  for (let at = from; at < to; at += 1) if (shapes[at]?.day !== shapes[at - 1]?.day) begins.push(at)
  return begins
}

/** How high rows will be that nobody has seen yet. */
export function estimate(count: number, ratio: number, { width, target, gap }: Metrics): number {
  if (!count || !width) return 0
  const each = ratio * target + gap
  return Math.ceil((count * each) / (width + gap)) * (target + gap) - gap
}
