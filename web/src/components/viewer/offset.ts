const HOUR = 60

/** Minutes east of UTC as people write them: +03:00. */
export function writtenOffset(minutes: number | null): string {
  if (minutes === null) return ''
  const size = Math.abs(minutes)
  const parts = [Math.floor(size / HOUR), size % HOUR].map((part) => String(part).padStart(2, '0'))
  return `${minutes < 0 ? '−' : '+'}${parts.join(':')}`
}

export function offsetOf(written: string): number | null {
  const found = /^([+\-−]?)(\d{1,2})(?::([0-5]\d))?$/.exec(written.trim())
  if (!found) return null
  const size = Number(found[2]) * HOUR + Number(found[3] ?? 0)
  return found[1] === '-' || found[1] === '−' ? -size : size
}
