import { useI18n } from 'vue-i18n'

type Moment = string | null | undefined

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

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

  return { dateTime, date, inSeconds, relative, number }
}
