import { ref, shallowRef } from 'vue'
import { call, client } from '@/api/client'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Quota, Usage } from '@/api/types'
import { usePagedList } from './usePagedList'
import { useBundled, useStream } from './useStream'

/** How many bytes a library has; follows what happens. */
export function useUsage(libraryId: string) {
  const usage = shallowRef<Usage | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const loading = ref(false)

  async function load(): Promise<void> {
    loading.value = true
    try {
      const params = { path: { library_id: libraryId } }
      usage.value = await call(client.GET('/api/v1/libraries/{library_id}/usage', { params }))
      problem.value = null
    } catch (error) {
      problem.value = toProblem(error)
    } finally {
      loading.value = false
    }
  }

  const again = useBundled(() => void load(), () => 1500)
  useStream({ 'asset.created': again, 'asset.restored': again, 'asset.trashed': again, 'asset.purged': again }, again)

  return { usage, problem, loading, load }
}

/** The same of every library, for who administers the server. */
export function useAllUsage() {
  const list = usePagedList<Usage>(
    (cursor) => call(client.GET('/api/v1/reports/usage', { params: { query: { everybody: true, cursor } } })),
    (usage) => usage.library_id,
  )

  async function setQuota(libraryId: string, body: Quota): Promise<void> {
    const params = { path: { library_id: libraryId } }
    list.upsert(await call(client.PUT('/api/v1/libraries/{library_id}/quota', { params, body })))
  }

  return { list, setQuota }
}
