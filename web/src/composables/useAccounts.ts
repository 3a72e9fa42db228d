import { call, client } from '@/api/client'
import type { AccountAdmin, AccountAdminPatch } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useAccounts() {
  const list = usePagedList<AccountAdmin>(
    (cursor) => call(client.GET('/api/v1/accounts', { params: { query: { cursor } } })),
    (account) => account.id,
  )

  async function update(id: string, body: AccountAdminPatch): Promise<void> {
    const params = { path: { account_id: id } }
    list.upsert(await call(client.PATCH('/api/v1/accounts/{account_id}', { params, body })))
  }

  async function resetLink(id: string): Promise<string> {
    const params = { path: { account_id: id } }
    return (await call(client.POST('/api/v1/accounts/{account_id}/reset-link', { params }))).link
  }

  return { list, update, resetLink }
}
