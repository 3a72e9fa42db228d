import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { IconName } from '@/components/icons/paths'
import { useSession } from './useSession'

export interface NavEntry {
  to: string
  label: string
  icon: IconName
  /** Paths on which the entry counts as the current one. */
  within: string[]
}

export function useNavigation() {
  const { t } = useI18n()
  const { isAdmin } = useSession()

  const entries = computed<NavEntry[]>(() => {
    const all: NavEntry[] = [
      { to: '/', label: t('nav.photos'), icon: 'photos', within: ['/'] },
      { to: '/libraries', label: t('nav.libraries'), icon: 'libraries', within: ['/libraries'] },
    ]
    if (isAdmin.value) {
      const within = ['/jobs', '/admin/accounts', '/admin/audit']
      all.push({ to: '/jobs', label: t('nav.system'), icon: 'system', within })
    }
    return all
  })

  return { entries }
}
