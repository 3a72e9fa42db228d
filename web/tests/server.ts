/** Answers of the server, as the client's tests need them. */
export function answer(body: unknown, status = 200): Response {
  const headers = { 'Content-Type': 'application/json' }
  return new Response(JSON.stringify(body), { status, headers })
}

export function problem(status: number, code: string, more: object = {}): Response {
  const body = { type: `/api/v1/problems/${code}`, title: code, status, detail: code, ...more }
  const headers = { 'Content-Type': 'application/problem+json' }
  return new Response(JSON.stringify(body), { status, headers })
}

export const sessionDocument = (account: object = {}) => ({
  account: {
    id: 'a1',
    email: 'anna@example.org',
    name: 'Anna',
    is_admin: false,
    locale: null,
    totp_enabled: false,
    created_at: '2026-01-01T00:00:00Z',
    ...account,
  },
  csrf_token: 'secret',
  expires_at: '2027-01-01T00:00:00Z',
})
