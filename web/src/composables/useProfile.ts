import { call, client } from '@/api/client'
import { useSession } from './useSession'

export function useProfile() {
  const { account, setAccount } = useSession()

  async function rename(name: string): Promise<void> {
    setAccount(await call(client.PATCH('/api/v1/account', { body: { name } })))
  }

  async function changePassword(current: string, next: string): Promise<void> {
    const body = { current_password: current, new_password: next }
    await call(client.PUT('/api/v1/account/password', { body }))
  }

  return { account, rename, changePassword }
}
