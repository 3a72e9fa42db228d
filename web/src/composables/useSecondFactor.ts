import { computed } from 'vue'
import { call, client } from '@/api/client'
import type { TotpSetup } from '@/api/types'
import { useSession } from './useSession'

export function useSecondFactor() {
  const { account, setAccount } = useSession()

  function mark(enabled: boolean): void {
    if (account.value) setAccount({ ...account.value, totp_enabled: enabled })
  }

  const begin = (password: string): Promise<TotpSetup> =>
    call(client.POST('/api/v1/account/totp', { body: { password } }))

  async function confirm(code: string): Promise<string[]> {
    const answer = await call(client.POST('/api/v1/account/totp/confirm', { body: { code } }))
    mark(true)
    return answer.recovery_codes
  }

  async function disable(password: string): Promise<void> {
    await call(client.POST('/api/v1/account/totp/disable', { body: { password } }))
    mark(false)
  }

  async function renewCodes(password: string): Promise<string[]> {
    const body = { password }
    return (await call(client.POST('/api/v1/account/recovery-codes', { body }))).recovery_codes
  }

  const enabled = computed(() => account.value?.totp_enabled ?? false)
  return { enabled, begin, confirm, disable, renewCodes }
}
