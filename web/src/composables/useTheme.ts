import { computed, ref, watchEffect } from 'vue'
import { remember, remembered } from './storage'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const isTheme = (value: unknown): value is Theme =>
  (THEMES as readonly unknown[]).includes(value)

const stored = remembered('theme')
const choice = ref<Theme>(isTheme(stored) ? stored : 'system')
const systemDark = ref(false)

export function startTheme(): void {
  const query = matchMedia('(prefers-color-scheme: dark)')
  systemDark.value = query.matches
  query.addEventListener('change', (event) => (systemDark.value = event.matches))
  watchEffect(() => {
    const dark = choice.value === 'system' ? systemDark.value : choice.value === 'dark'
    document.documentElement.classList.toggle('dark', dark)
  })
}

export function useTheme() {
  const theme = computed({
    get: () => choice.value,
    set: (value: Theme) => {
      choice.value = value
      remember('theme', value === 'system' ? null : value)
    },
  })
  return { theme }
}
