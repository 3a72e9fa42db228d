import { useI18n } from 'vue-i18n'
import type { ApiProblem } from '@/api/problem'
import { useFormat } from './useFormat'

/** What a problem is called in the reader's language, or the server's own words. */
export function useProblemText() {
  const { t, te } = useI18n()
  const { inSeconds } = useFormat()

  return (problem: ApiProblem): string => {
    if (problem.retryAfter !== null) {
      return t('problem.retry', { when: inSeconds(problem.retryAfter) })
    }
    const key = `problem.${problem.code}`
    if (te(key, 'en')) return t(key)
    return problem.detail || t('problem.unexpected')
  }
}
