type Loose = Record<string, unknown>

const inner = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {})
const figure = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** How the camera was set, as photographers write it: ƒ/2.8 · 1/250 s · ISO 100 · 35 mm. */
export function exposureOf(metadata: Loose | null, number: (value: number) => string): string[] {
  const exposure = inner(metadata?.exposure)
  const [aperture, iso, focal] = [figure(exposure.aperture), figure(exposure.iso), figure(exposure.focal_mm)]
  const time = typeof exposure.time === 'string' ? exposure.time : null
  return [
    aperture === null ? '' : `ƒ/${number(aperture)}`,
    time ? `${time} s` : '',
    iso === null ? '' : `ISO ${iso}`,
    focal === null ? '' : `${number(focal)} mm`,
  ].filter(Boolean)
}
