import { ref, shallowRef } from 'vue'
import { toProblem, type ApiProblem } from '@/api/problem'

/**
 * Wraps something a person sets off: one at a time, with its failure kept to be shown.
 * `act` says whether it went through.
 */
export function useAction<Args extends unknown[]>(
  run: (...args: Args) => Promise<void>,
  onProblem?: (problem: ApiProblem) => void,
) {
  const pending = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)

  async function act(...args: Args): Promise<boolean> {
    if (pending.value) return false
    pending.value = true
    problem.value = null
    try {
      await run(...args)
      return true
    } catch (error) {
      problem.value = toProblem(error)
      onProblem?.(problem.value)
      return false
    } finally {
      pending.value = false
    }
  }

  return { act, pending, problem }
}
