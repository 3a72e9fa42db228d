/** Decodes a thumbhash (https://evanw.github.io/thumbhash/): some 25 bytes that are a picture of 32 pixels. */

export interface Pixels {
  width: number
  height: number
  rgba: Uint8ClampedArray<ArrayBuffer>
}

const SIDE = 32
const CHROMA = 3
const ALPHA = 5

/** Cosine coefficients of one channel; those of high frequency in both directions are left out. */
interface Channel {
  columns: number
  rows: number
  factors: number[]
}

/** Reads four bits after four bits. */
function reader(hash: Uint8Array, start: number) {
  let position = start * 2
  return (columns: number, rows: number, scale: number): Channel => {
    const factors: number[] = []
    for (let row = 0; row < rows; row += 1) {
      for (let column = row ? 0 : 1; column * rows < columns * (rows - row); column += 1) {
        const nibble = ((hash[position >> 1] ?? 0) >> ((position & 1) * 4)) & 15
        position += 1
        factors.push((nibble / 7.5 - 1) * scale)
      }
    }
    return { columns, rows, factors }
  }
}

function valueAt({ columns, rows, factors }: Channel, across: number[], down: number[]): number {
  let [sum, at] = [0, 0]
  for (let row = 0; row < rows; row += 1) {
    const twice = (down[row] ?? 0) * 2
    for (let column = row ? 0 : 1; column * rows < columns * (rows - row); column += 1) {
      sum += (factors[at++] ?? 0) * (across[column] ?? 0) * twice
    }
  }
  return sum
}

const waves = (length: number): number[][] =>
  Array.from({ length }, (_, at) => Array.from({ length: 7 }, (__, wave) => Math.cos((Math.PI / length) * (at + 0.5) * wave)))

export function decodeThumbhash(hash: Uint8Array): Pixels {
  const head = (hash[0] ?? 0) | ((hash[1] ?? 0) << 8) | ((hash[2] ?? 0) << 16)
  const tail = (hash[3] ?? 0) | ((hash[4] ?? 0) << 8)
  const hasAlpha = head >> 23 === 1
  const isWide = tail >> 15 === 1
  const most = hasAlpha ? 5 : 7
  const [across, down] = isWide ? [most, tail & 7] : [tail & 7, most]

  const next = reader(hash, hasAlpha ? 6 : 5)
  const light = next(Math.max(3, across), Math.max(3, down), ((head >> 18) & 31) / 31)
  const yellow = next(CHROMA, CHROMA, (((tail >> 3) & 63) / 63) * 1.25)
  const red = next(CHROMA, CHROMA, (((tail >> 9) & 63) / 63) * 1.25)
  const alpha = hasAlpha ? next(ALPHA, ALPHA, ((hash[5] ?? 0) >> 4) / 15) : null
  const base = {
    light: (head & 63) / 63,
    yellow: ((head >> 6) & 63) / 31.5 - 1,
    red: ((head >> 12) & 63) / 31.5 - 1,
    alpha: hasAlpha ? ((hash[5] ?? 0) & 15) / 15 : 1,
  }

  const ratio = Math.max(1, across) / Math.max(1, down)
  const width = Math.round(ratio > 1 ? SIDE : SIDE * ratio)
  const height = Math.round(ratio > 1 ? SIDE / ratio : SIDE)
  const rgba = new Uint8ClampedArray(width * height * 4)
  const [columns, rows] = [waves(width), waves(height)]
  let at = 0
  for (const y of rows) {
    for (const x of columns) {
      const l = base.light + valueAt(light, x, y)
      const p = base.yellow + valueAt(yellow, x, y)
      const q = base.red + valueAt(red, x, y)
      const blue = l - (2 / 3) * p
      const redness = (3 * l - blue + q) / 2
      rgba[at++] = 255 * redness
      rgba[at++] = 255 * (redness - q)
      rgba[at++] = 255 * blue
      rgba[at++] = 255 * (base.alpha + (alpha ? valueAt(alpha, x, y) : 0))
    }
  }
  return { width, height, rgba }
}
