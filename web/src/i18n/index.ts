import { createI18n } from 'vue-i18n'
import en from './en.json'
import { russianPlural } from './plural'
import ru from './ru.json'

export const LOCALES = ['en', 'ru'] as const
export type AppLocale = (typeof LOCALES)[number]

export const isLocale = (value: unknown): value is AppLocale =>
  (LOCALES as readonly unknown[]).includes(value)

/** Days are written as they are stored: the wall clock's, in no zone. */
const formats = {
  month: { month: 'long', year: 'numeric', timeZone: 'UTC' },
  day: { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' },
} as const

export const i18n = createI18n({
  legacy: false,
  locale: 'en' as AppLocale,
  fallbackLocale: 'en',
  messages: { en, ru },
  datetimeFormats: { en: formats, ru: formats },
  pluralRules: { ru: russianPlural },
})
