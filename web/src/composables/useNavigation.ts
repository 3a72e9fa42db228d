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

export const SYSTEM_PAGES = [
  { to: '/jobs', label: 'nav.jobs' },
  { to: '/admin/usage', label: 'nav.usage' },
  { to: '/admin/space', label: 'nav.space' },
  { to: '/admin/integrity', label: 'nav.integrity' },
  { to: '/admin/backups', label: 'nav.backups' },
  { to: '/admin/accounts', label: 'nav.accounts' },
  { to: '/admin/audit', label: 'nav.audit' },
]

export function useNavigation() {
  const { t } = useI18n()
  const { isAdmin } = useSession()

  const entries = computed<NavEntry[]>(() => {
    const all: NavEntry[] = [
      { to: '/', label: t('nav.photos'), icon: 'photos', within: ['/'] },
      { to: '/albums', label: t('nav.albums'), icon: 'album', within: ['/albums'] },
      { to: '/tidy/same', label: t('nav.tidy'), icon: 'tidy', within: ['/tidy'] },
      { to: '/trash', label: t('nav.trash'), icon: 'trash', within: ['/trash'] },
      { to: '/libraries', label: t('nav.libraries'), icon: 'libraries', within: ['/libraries'] },
    ]
    if (isAdmin.value) {
      all.push({ to: '/jobs', label: t('nav.system'), icon: 'system', within: SYSTEM_PAGES.map(({ to }) => to) })
    }
    return all
  })

  return { entries }
}
