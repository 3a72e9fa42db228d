import { useI18n } from 'vue-i18n'

type Moment = string | null | undefined

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte']

/** A number of bytes in the unit that keeps it short; thousands, as disks and phones count them. */
export function formatBytes(bytes: number, locale: string): string {
  let [value, step] = [bytes, 0]
  // By what would be written: 999 999 bytes are 1 MB, not 1000 kB.
  while (step < UNITS.length - 1 && rounded(value) >= 1000) [value, step] = [value / 1000, step + 1]
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: UNITS[step],
    unitDisplay: step ? 'short' : 'long',
    maximumFractionDigits: value < 100 && step ? 1 : 0,
  }).format(value)
}

const rounded = (value: number): number => (value < 100 ? Math.round(value * 10) / 10 : Math.round(value))

const MINUTE = 60

/** How long a film is, as players write it. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000))
  const parts = [Math.floor(seconds / MINUTE) % MINUTE, seconds % MINUTE]
  const hours = Math.floor(seconds / (MINUTE * MINUTE))
  if (hours) parts.unshift(hours)
  return parts.map((part, nth) => (nth ? String(part).padStart(2, '0') : String(part))).join(':')
}

/** Dates and numbers the way the current language writes them. */
export function useFormat() {
  const { locale } = useI18n()

  function dateTime(moment: Moment): string {
    if (!moment) return ''
    const format = new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' })
    return format.format(new Date(moment))
  }

  function date(moment: Moment): string {
    if (!moment) return ''
    return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium' }).format(new Date(moment))
  }

  /** What the clock on the wall showed, wherever that was: no zone of the reader's changes it. */
  function wall(moment: Moment, options: Intl.DateTimeFormatOptions): string {
    if (!moment) return ''
    return new Intl.DateTimeFormat(locale.value, { ...options, timeZone: 'UTC' }).format(new Date(`${moment.slice(0, 19)}Z`))
  }

  const wallDate = (moment: Moment): string => wall(moment, { dateStyle: 'long' })
  const wallTime = (moment: Moment): string => wall(moment, { dateStyle: 'full', timeStyle: 'short' })

  /** Two days, written once where they are the same. */
  function wallRange(from: Moment, to: Moment): string {
    if (!from || !to) return ''
    const format = new Intl.DateTimeFormat(locale.value, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
    return format.formatRange(new Date(`${from.slice(0, 10)}T00:00Z`), new Date(`${to.slice(0, 10)}T00:00Z`))
  }

  function inSeconds(seconds: number): string {
    const format = new Intl.RelativeTimeFormat(locale.value, { numeric: 'always' })
    const step = STEPS.find(([, length]) => Math.abs(seconds) >= length)
    if (!step) return format.format(Math.round(seconds), 'second')
    return format.format(Math.round(seconds / step[1]), step[0])
  }

  function relative(moment: Moment): string {
    if (!moment) return ''
    return inSeconds((new Date(moment).getTime() - Date.now()) / 1000)
  }

  const number = (value: number): string => new Intl.NumberFormat(locale.value).format(value)
  const bytes = (value: number): string => formatBytes(value, locale.value)
  const percent = (share: number): string =>
    new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }).format(share)

  return { bytes, percent, dateTime, date, wallDate, wallTime, wallRange, inSeconds, relative, number }
}
