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

  return { bytes, percent, dateTime, date, inSeconds, relative, number }
}
