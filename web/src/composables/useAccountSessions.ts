import { call, client } from '@/api/client'
import type { AccountSession } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useAccountSessions() {
  const list = usePagedList<AccountSession>(
    () => call(client.GET('/api/v1/account/sessions')),
    (session) => session.id,
  )

  async function end(id: string): Promise<void> {
    const params = { path: { session_id: id } }
    await call(client.DELETE('/api/v1/account/sessions/{session_id}', { params }))
    list.remove(id)
  }

  return { list, end }
}
