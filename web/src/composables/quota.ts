const GIGABYTE = 1e9

/** What a person typed as gigabytes: nothing is no limit, and what is no number is not guessed at. */
export function bytesOf(written: string): number | null | undefined {
  const text = written.trim().replace(/[\s\u00a0]/g, '').replace(',', '.')
  if (!text) return null
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined
  return Math.round(Number(text) * GIGABYTE)
}

export function gigabytesOf(bytes: number | null, locale: string): string {
  if (bytes === null) return ''
  return new Intl.NumberFormat(locale, { useGrouping: false, maximumFractionDigits: 9 }).format(bytes / GIGABYTE)
}
