import { call, client } from '@/api/client'
import type { LibraryInvite, LibraryInviteCreated, Role } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useLibraryInvites(libraryId: string) {
  const path = { library_id: libraryId }
  const list = usePagedList<LibraryInvite>(
    () => call(client.GET('/api/v1/libraries/{library_id}/invites', { params: { path } })),
    (invite) => invite.id,
  )

  async function invite(email: string, role: Role): Promise<LibraryInviteCreated> {
    const body = email ? { email, role } : { role }
    const created = await call(
      client.POST('/api/v1/libraries/{library_id}/invites', { params: { path }, body }),
    )
    await list.load()
    return created
  }

  async function revoke(inviteId: string): Promise<void> {
    const params = { path: { ...path, invite_id: inviteId } }
    await call(client.DELETE('/api/v1/libraries/{library_id}/invites/{invite_id}', { params }))
    list.remove(inviteId)
  }

  return { list, invite, revoke }
}
