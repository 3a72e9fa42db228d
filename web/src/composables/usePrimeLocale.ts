import { usePrimeVue } from 'primevue/config'
import { watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'

/** PrimeVue names its own buttons in English; of those only closing is on our pages. */
export function usePrimeLocale(): void {
  const { t } = useI18n()
  const { config } = usePrimeVue()
  watchEffect(() => {
    const aria = config.locale?.aria
    if (aria) aria.close = t('action.close')
  })
}
