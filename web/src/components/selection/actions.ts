import type { IconName } from '@/components/icons/paths'

/** Something that can be done with what is chosen. */
export interface SelectionAction {
  key: string
  icon: IconName
  label: string
  run: () => unknown
  danger?: boolean
  disabled?: boolean
}
