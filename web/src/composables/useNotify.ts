import { useToast } from 'primevue/usetoast'
import type { ToastMessageOptions } from 'primevue/toast'
import type { ApiProblem } from '@/api/problem'
import { useProblemText } from './useProblemText'

/** A notice that offers to take back what it tells of. */
export interface Notice extends ToastMessageOptions {
  action?: { label: string; run: () => void }
}

/** Short notices in the corner. A screen reader hears them: toasts are live regions. */
export function useNotify() {
  const toast = useToast()
  const { problemText, problemDetail } = useProblemText()

  return {
    done: (summary: string) => toast.add({ severity: 'success', summary, life: 4000 }),
    undoable: (summary: string, label: string, run: () => void) => {
      const notice: Notice = { severity: 'success', summary, action: { label, run }, life: 8000 }
      toast.add(notice)
    },
    // Failures stay until they are dismissed.
    failed: (problem: ApiProblem) =>
      toast.add({
        severity: 'error',
        summary: problemText(problem),
        detail: problemDetail(problem),
      }),
  }
}
