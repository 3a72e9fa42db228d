import { useToast } from 'primevue/usetoast'
import type { ApiProblem } from '@/api/problem'
import { useProblemText } from './useProblemText'

/** Short notices in the corner. A screen reader hears them: toasts are live regions. */
export function useNotify() {
  const toast = useToast()
  const { problemText, problemDetail } = useProblemText()

  return {
    done: (summary: string) => toast.add({ severity: 'success', summary, life: 4000 }),
    // Failures stay until they are dismissed.
    failed: (problem: ApiProblem) =>
      toast.add({
        severity: 'error',
        summary: problemText(problem),
        detail: problemDetail(problem),
      }),
  }
}
