import { ref, shallowRef } from 'vue'
import { call, client } from '@/api/client'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Job, JobKindSummary, JobState } from '@/api/types'
import { usePagedList } from './usePagedList'

export const JOB_STATES = ['ready', 'running', 'done', 'failed', 'cancelled', 'quarantined'] as const

export function useJobs() {
  const state = ref<JobState | ''>('')
  const summary = shallowRef<JobKindSummary[]>([])
  const summaryProblem = shallowRef<ApiProblem | null>(null)

  const list = usePagedList<Job>(
    (cursor) => {
      const query = { cursor, state: state.value || undefined }
      return call(client.GET('/api/v1/jobs', { params: { query } }))
    },
    (job) => job.id,
  )

  async function loadSummary(): Promise<void> {
    try {
      summary.value = (await call(client.GET('/api/v1/jobs/summary'))).kinds
      summaryProblem.value = null
    } catch (error) {
      summaryProblem.value = toProblem(error)
    }
  }

  /** Takes in a job that changed, as far as it belongs into what is shown. */
  function take(job: Job): void {
    if (state.value && job.state !== state.value) list.remove(job.id)
    else list.upsert(job)
  }

  async function selfCheck(): Promise<void> {
    take(await call(client.POST('/api/v1/jobs', { body: { kind: 'upkeep.selfcheck' } })))
  }

  async function cancel(id: string): Promise<void> {
    const params = { path: { job_id: id } }
    take(await call(client.POST('/api/v1/jobs/{job_id}/cancel', { params })))
  }

  async function retry(id: string): Promise<void> {
    const params = { path: { job_id: id } }
    take(await call(client.POST('/api/v1/jobs/{job_id}/retry', { params })))
  }

  return { state, summary, summaryProblem, list, loadSummary, take, selfCheck, cancel, retry }
}
