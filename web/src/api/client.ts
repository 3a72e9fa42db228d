import createClient from 'openapi-fetch'
import { ApiProblem, problemFromBody } from './problem'
import type { paths } from './schema'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

let csrfToken: string | null = null
let onSignedOut: (() => void) | null = null

/** For what does not go through this client: uploads have their own. */
export const currentCsrfToken = (): string => csrfToken ?? ''

export function setCsrfToken(token: string | null): void {
  csrfToken = token
}

/** Called whenever the server says that the session is gone. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

export const client = createClient<paths>({
  // An absolute address lets Request be built outside a browser too.
  baseUrl: globalThis.location?.origin,
  headers: { Accept: 'application/json' },
  fetch: (request) => send(request),
})

/** Sends a request; one refused for its CSRF token is sent once more with the present one. */
async function send(request: Request): Promise<Response> {
  const again = SAFE_METHODS.has(request.method) ? null : request.clone()
  // Looked up at call time, so that a test can put its own in place.
  const response = await globalThis.fetch(request)
  if (!again || response.status !== 403) return response
  const problem = problemFromBody(await response.clone().json().catch(() => null), 403)
  if (problem.code !== 'csrf-failed' || !(await refreshCsrfToken())) return response
  again.headers.set('X-CSRF-Token', csrfToken ?? '')
  return globalThis.fetch(again)
}

/** Signing in again in another tab makes a new session, and with it a new token. */
export async function refreshCsrfToken(): Promise<boolean> {
  const { data } = await client.GET('/api/v1/session')
  if (data) csrfToken = data.csrf_token
  return data !== undefined
}

client.use({
  onRequest({ request }) {
    if (csrfToken && !SAFE_METHODS.has(request.method)) {
      request.headers.set('X-CSRF-Token', csrfToken)
    }
    return request
  },
})

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** Turns openapi-fetch's answer into a value or a thrown ApiProblem. */
export async function call<T>(pending: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await pending
  if (response.ok) return data as T
  const problem: ApiProblem = problemFromBody(error, response.status)
  if (problem.code === 'not-signed-in') onSignedOut?.()
  throw problem
}
