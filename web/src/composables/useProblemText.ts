import { useI18n } from 'vue-i18n'
import type { ApiProblem } from '@/api/problem'
import { useFormat } from './useFormat'

/** Codes that stand for several things: what is the matter is only in the server's own words. */
const TELLING = new Set(['conflict', 'invalid-value', 'malformed-request', 'weak-password', 'forbidden'])

/** What a problem is called in the reader's language, or the server's own words. */
export function useProblemText() {
  const { t, te } = useI18n()
  const { inSeconds, bytes } = useFormat()

  function problemText(problem: ApiProblem): string {
    if (problem.retryAfter !== null) {
      return t('problem.retry', { when: inSeconds(problem.retryAfter) })
    }
    const { wanted, used, reserved, quota } = problem.figures
    if (problem.code === 'quota-exceeded' && wanted !== undefined && quota !== undefined) {
      const free = Math.max(0, quota - (used ?? 0) - (reserved ?? 0))
      return t('problem.quota-figures', { wanted: bytes(wanted), free: bytes(free) })
    }
    const key = `problem.${problem.code}`
    if (te(key, 'en')) return t(key)
    return problem.detail || t('problem.unexpected')
  }

  /** The server's words, where they say more than the translation can. */
  function problemDetail(problem: ApiProblem): string | undefined {
    const more = TELLING.has(problem.code) && problem.detail
    return more && more !== problemText(problem) ? more : undefined
  }

  return { problemText, problemDetail }
}
