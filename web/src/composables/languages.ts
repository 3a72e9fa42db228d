import type { AppLocale } from '@/i18n'

/** Each language by its own name: whoever needs it cannot read the other one. */
export const LANGUAGES: { value: AppLocale; label: string; lang: string }[] = [
  { value: 'en', label: 'English', lang: 'en' },
  { value: 'ru', label: 'Русский', lang: 'ru' },
]
