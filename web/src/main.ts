import PrimeVue from 'primevue/config'
import ToastService from 'primevue/toastservice'
import { createApp } from 'vue'
import App from './App.vue'
import { startLibraries } from './composables/useLibraries'
import { startLocale } from './composables/useLocale'
import { startTheme } from './composables/useTheme'
import { startUploads } from './composables/useUploads'
import { i18n } from './i18n'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import { preset } from './theme/preset'

startTheme()
startLocale()
startLibraries()
startUploads()

createApp(App)
  .use(router)
  .use(i18n)
  .use(PrimeVue, {
    theme: {
      preset,
      options: {
        darkModeSelector: '.dark',
        // In a layer, so that our own styles win without a fight over specificity.
        cssLayer: { name: 'primevue', order: 'base, primevue' },
      },
    },
  })
  .use(ToastService)
  .mount('#app')
