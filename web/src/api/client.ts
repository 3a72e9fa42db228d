import createClient from 'openapi-fetch'
import { ApiProblem, problemFromBody } from './problem'
import type { paths } from './schema'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

let csrfToken: string | null = null
let onSignedOut: (() => void) | null = null

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
  // Looked up at call time, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request),
})

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
