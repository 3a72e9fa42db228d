import { call, client } from '@/api/client'
import type { Library, LinkInfo, Session } from '@/api/types'

export interface NewAccount {
  email?: string
  name?: string
  password: string
}

/** One-time links: the first administrator, an invitation, a new password. */
export function useLinks(token: string) {
  const inspect = (): Promise<LinkInfo> =>
    call(client.POST('/api/v1/links/inspect', { body: { token } }))

  async function accept(account: NewAccount): Promise<Session | null> {
    const answer = await call(client.POST('/api/v1/links/accept', { body: { token, ...account } }))
    return answer.session ?? null
  }

  const join = (): Promise<Library> => call(client.POST('/api/v1/links/join', { body: { token } }))

  return { inspect, accept, join }
}
