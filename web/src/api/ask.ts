import { call, client } from './client'

export type Query = Record<string, string | number | boolean | null | undefined>

interface Extras {
  query?: Query
  body?: unknown
  /** A guest's pass; without it the session's cookie speaks. */
  pass?: string
}

interface Loose {
  request: (method: string, path: string, init: object) => ReturnType<typeof client.GET<'/api/v1/session', object>>
}

/** A request by its path, for what is the same under several paths; the caller names the type of the answer. */
export async function ask<T>(method: string, path: string, { query, body, pass }: Extras = {}): Promise<T> {
  const headers = pass ? { Authorization: `Share ${pass}` } : {}
  const sent = Object.fromEntries(Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined))
  const loose = client as unknown as Loose
  return (await call(loose.request(method.toLowerCase(), `/api/v1${path}`, { params: { query: sent }, body, headers }))) as T
}
