import { call, client } from '@/api/client'
import type { Member, Role } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useMembers(libraryId: string) {
  const path = { library_id: libraryId }
  const list = usePagedList<Member>(
    (cursor) =>
      call(client.GET('/api/v1/libraries/{library_id}/members', { params: { path, query: { cursor } } })),
    (member) => member.account_id,
  )

  async function setRole(accountId: string, role: Role): Promise<void> {
    const params = { path: { ...path, account_id: accountId } }
    list.upsert(
      await call(
        client.PUT('/api/v1/libraries/{library_id}/members/{account_id}', { params, body: { role } }),
      ),
    )
  }

  async function removeMember(accountId: string): Promise<void> {
    const params = { path: { ...path, account_id: accountId } }
    await call(client.DELETE('/api/v1/libraries/{library_id}/members/{account_id}', { params }))
    list.remove(accountId)
  }

  return { list, setRole, removeMember }
}
