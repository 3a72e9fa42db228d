/** A library that nobody took: as many photos as wanted, always the same ones. */

export interface Mock {
  id: string
  kind: 'photo' | 'video'
  name: string
  taken_at: string
  width: number
  height: number
  duration_ms: number | null
  hue: number
  favourite: boolean
  archived: boolean
  rating: number | null
  problem: string | null
  parts: string[]
  updated_at: string
  trashed: boolean
  camera: string
}

const CAMERAS = ['Canon EOS R6', 'iPhone 15 Pro', 'FUJIFILM X-T5', 'Pixel 8']
const SHAPES: [number, number][] = [[4032, 3024], [4032, 3024], [3024, 4032], [6000, 4000], [4000, 6000], [1920, 1080], [9000, 2800], [3000, 3000]]
const YEARS = 14
const DAY = 86_400_000

/** Mulberry32: small, and the same everywhere. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function library(count: number): Mock[] {
  const roll = dice(7)
  const until = Date.UTC(2026, 10, 20)
  const photos: Mock[] = []
  // Days of trips have many, others few.
  while (photos.length < count) {
    const day = until - Math.floor(roll() * YEARS * 365) * DAY
    const many = Math.min(count - photos.length, Math.ceil(roll() ** 4 * 180))
    const hue = roll() * 360
    for (let nth = 0; nth < many; nth += 1) {
      const moment = new Date(day + Math.floor((7 + roll() * 14) * 3_600_000))
      const film = roll() < 0.06
      const [width, height] = film ? [1920, 1080] : (SHAPES[Math.floor(roll() * SHAPES.length)] ?? [4, 3])
      photos.push({
        id: photos.length.toString(16).padStart(32, '0'),
        kind: film ? 'video' : 'photo',
        name: `${film ? 'MOV' : 'IMG'}_${1000 + photos.length}.${film ? 'MOV' : 'JPG'}`,
        taken_at: moment.toISOString().slice(0, 23),
        width,
        height,
        duration_ms: film ? Math.floor(3000 + roll() * 400_000) : null,
        hue: (hue + roll() * 50) % 360,
        favourite: roll() < 0.04,
        archived: false,
        rating: roll() < 0.1 ? 4 : null,
        problem: roll() < 0.004 ? 'corrupt' : null,
        parts: film ? [] : roll() < 0.08 ? ['motion'] : roll() < 0.05 ? ['raw'] : [],
        updated_at: moment.toISOString(),
        trashed: false,
        camera: CAMERAS[Math.floor(roll() * CAMERAS.length)] ?? '',
      })
    }
  }
  return photos.sort((one, other) => (one.taken_at < other.taken_at ? 1 : -1))
}

/** A landscape in the photo's colours. */
export function picture({ hue, id, ...size }: Mock, shorter = 1000): string {
  const scale = shorter / Math.min(size.width, size.height)
  const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)]
  const roll = dice(Number.parseInt(id.slice(-6), 16))
  const wave = (base: number, deep: number): string => {
    const points = Array.from({ length: 9 }, (_, nth) => `${(nth * width) / 8},${height * (base - roll() * deep)}`)
    return `M0,${height} L${points.join(' L')} L${width},${height}Z`
  }
  const tone = (by: number, light: number): string => `hsl(${(hue + by) % 360} 42% ${light}%)`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${tone(0, 66)}"/><stop offset="1" stop-color="${tone(38, 84)}"/></linearGradient></defs>
<rect width="${width}" height="${height}" fill="url(#s)"/>
<circle cx="${width * (0.2 + roll() * 0.6)}" cy="${height * (0.18 + roll() * 0.2)}" r="${height * 0.07}" fill="${tone(46, 92)}"/>
<path d="${wave(0.62, 0.22)}" fill="${tone(10, 54)}"/><path d="${wave(0.78, 0.2)}" fill="${tone(-12, 38)}"/><path d="${wave(0.94, 0.14)}" fill="${tone(-26, 22)}"/></svg>`
}

/** A thumbhash of the same colours: three bytes of mean colour and a slope from light to dark. */
export function thumbhash({ hue, width, height }: Mock): string {
  const radians = (hue * Math.PI) / 180
  const [light, yellow, red] = [0.52, 0.16 * Math.cos(radians), 0.2 * Math.sin(radians)]
  const head = Math.round(light * 63) | (Math.round((yellow + 1) * 31.5) << 6) | (Math.round((red + 1) * 31.5) << 12) | (9 << 18)
  const wide = width > height
  const short = Math.max(3, Math.min(7, Math.round((7 * Math.min(width, height)) / Math.max(width, height))))
  const tail = short | (4 << 3) | (4 << 9) | ((wide ? 1 : 0) << 15)
  const bytes = [head & 255, (head >> 8) & 255, head >> 16, tail & 255, tail >> 8]
  return Buffer.from([...bytes, ...Array.from({ length: 19 }, (_, nth) => (nth === 2 ? 0x79 : 0x88))]).toString('base64')
}
