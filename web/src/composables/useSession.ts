import { computed, ref, shallowRef } from 'vue'
import { call, client, setCsrfToken, whenSignedOut } from '@/api/client'
import { hasCode, toProblem, type ApiProblem } from '@/api/problem'
import type { Account, Session } from '@/api/types'

const session = ref<Session | null>(null)
const known = ref(false)
/** Signed out on purpose, as against by the server: then nothing is to be returned to. */
const left = ref(false)
const failure = shallowRef<ApiProblem | null>(null)
let loading: Promise<void> | null = null

function setSession(value: Session | null): void {
  session.value = value
  known.value = true
  if (value) left.value = false
  setCsrfToken(value?.csrf_token ?? null)
}

whenSignedOut(() => setSession(null))

async function load(): Promise<void> {
  failure.value = null
  try {
    setSession(await call(client.GET('/api/v1/session')))
  } catch (error) {
    if (hasCode(error, 'not-signed-in')) setSession(null)
    // The server is out of reach: that is not the same as being signed out.
    else failure.value = toProblem(error)
  } finally {
    loading = null
  }
}

function ensureSession(): Promise<void> {
  if (known.value) return Promise.resolve()
  return (loading ??= load())
}

async function signIn(email: string, password: string, code?: string): Promise<void> {
  const body = code ? { email, password, code } : { email, password }
  setSession(await call(client.POST('/api/v1/session', { body })))
}

async function signOut(): Promise<void> {
  try {
    await call(client.DELETE('/api/v1/session'))
  } catch (error) {
    // Already gone is as good as signed out; anything else is for the caller to show.
    if (!hasCode(error, 'not-signed-in')) throw error
  }
  left.value = true
  setSession(null)
}

function setAccount(account: Account): void {
  if (session.value) session.value = { ...session.value, account }
}

export function useSession() {
  return {
    session: computed(() => session.value),
    account: computed(() => session.value?.account ?? null),
    isAdmin: computed(() => session.value?.account.is_admin ?? false),
    left: computed(() => left.value),
    failure: computed(() => failure.value),
    ensureSession,
    setSession,
    setAccount,
    signIn,
    signOut,
  }
}
