import { call, client } from '@/api/client'
import type { AuditEntry } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useAudit() {
  const list = usePagedList<AuditEntry>(
    (cursor) => call(client.GET('/api/v1/audit', { params: { query: { cursor } } })),
    (entry) => String(entry.id),
  )
  return { list }
}
