import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Role } from '@/api/types'

const ROLES: Role[] = ['viewer', 'editor', 'owner']

export function useRoles() {
  const { t } = useI18n()
  const options = computed(() => ROLES.map((value) => ({ value, label: t(`role.${value}`) })))
  return { options }
}
