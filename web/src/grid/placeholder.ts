import { decodeThumbhash } from './thumbhash'

/** Addresses of what was drawn already: scrolling back and forth draws nothing twice. */
const drawn = new Map<string, string>()
const MOST = 3000

let canvas: HTMLCanvasElement | null = null

/** A blurred likeness as an image address; empty where there is nothing to draw it from. */
export function placeholderOf(thumbhash: string | null): string {
  if (!thumbhash) return ''
  const known = drawn.get(thumbhash)
  if (known !== undefined) return known
  const address = draw(thumbhash)
  if (drawn.size >= MOST) drawn.delete(drawn.keys().next().value ?? '')
  drawn.set(thumbhash, address)
  return address
}

function draw(thumbhash: string): string {
  try {
    const { width, height, rgba } = decodeThumbhash(Uint8Array.from(atob(thumbhash), (letter) => letter.charCodeAt(0)))
    canvas ??= document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    const context = canvas.getContext('2d')
    if (!context) return ''
    context.putImageData(new ImageData(rgba, width, height), 0, 0)
    return canvas.toDataURL()
  } catch {
    // Not a thumbhash: the plain ground does as well.
    return ''
  }
}
