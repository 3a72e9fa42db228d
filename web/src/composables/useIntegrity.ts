import { ref, shallowRef } from 'vue'
import { call, client } from '@/api/client'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Finding, Integrity } from '@/api/types'
import { usePagedList } from './usePagedList'
import { useBundled, useStream } from './useStream'

/** How the archive's bytes are, for who administers the server. */
export function useIntegrity() {
  const summary = shallowRef<Integrity | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const loading = ref(false)

  const findings = usePagedList<Finding>(
    (cursor) => call(client.GET('/api/v1/integrity/findings', { params: { query: { cursor } } })),
    (finding) => finding.key,
  )

  async function load(): Promise<void> {
    loading.value = true
    try {
      summary.value = await call(client.GET('/api/v1/integrity'))
      problem.value = null
    } catch (error) {
      problem.value = toProblem(error)
    } finally {
      loading.value = false
    }
  }

  async function scrub(): Promise<void> {
    await call(client.POST('/api/v1/integrity/scrub'))
  }

  const again = useBundled(() => void Promise.all([load(), findings.refresh()]), () => 1500)

  function onJob({ kind, state }: { kind: string; state: string }): void {
    if (kind.startsWith('integrity.') && state !== 'running') again()
  }

  useStream({ 'integrity.damaged': again, 'integrity.healed': again, job: onJob }, again)

  return { summary, problem, loading, findings, load, scrub }
}
