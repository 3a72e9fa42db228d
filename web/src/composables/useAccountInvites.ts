import { call, client } from '@/api/client'
import type { AccountInvite, AccountInviteCreated } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useAccountInvites() {
  const list = usePagedList<AccountInvite>(
    () => call(client.GET('/api/v1/invites')),
    (invite) => invite.id,
  )

  async function invite(email: string, isAdmin: boolean): Promise<AccountInviteCreated> {
    const body = email ? { email, is_admin: isAdmin } : { is_admin: isAdmin }
    const created = await call(client.POST('/api/v1/invites', { body }))
    await list.load()
    return created
  }

  async function revoke(inviteId: string): Promise<void> {
    const params = { path: { invite_id: inviteId } }
    await call(client.DELETE('/api/v1/invites/{invite_id}', { params }))
    list.remove(inviteId)
  }

  return { list, invite, revoke }
}
