import { useI18n } from 'vue-i18n'

/** What a kind of job is called; a kind without a name of its own shows as it is. */
export function useJobNames() {
  const { t, te } = useI18n()
  return (kind: string): string => (te(`jobKind.${kind}`, 'en') ? t(`jobKind.${kind}`) : kind)
}
