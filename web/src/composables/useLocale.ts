import { computed, watch } from 'vue'
import { client, call } from '@/api/client'
import { i18n, isLocale, type AppLocale } from '@/i18n'
import { remember, remembered } from './storage'
import { useSession } from './useSession'

const locale = i18n.global.locale

function browserLocale(): AppLocale {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())
  return wanted.find(isLocale) ?? 'en'
}

export function startLocale(): void {
  const { account } = useSession()
  const stored = remembered('locale')
  locale.value = isLocale(stored) ? stored : browserLocale()
  // What the account says outweighs what this browser remembers.
  watch(
    () => account.value?.locale,
    (wanted) => {
      if (wanted) locale.value = wanted
    },
    { immediate: true },
  )
  watch(locale, (value) => (document.documentElement.lang = value), { immediate: true })
}

export function useLocale() {
  const { account, setAccount } = useSession()

  async function setLocale(value: AppLocale): Promise<void> {
    locale.value = value
    remember('locale', value)
    if (!account.value) return
    setAccount(await call(client.PATCH('/api/v1/account', { body: { locale: value } })))
  }

  return { locale: computed(() => locale.value), setLocale }
}
