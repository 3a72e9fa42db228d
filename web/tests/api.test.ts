import { afterEach, describe, expect, it, vi } from 'vitest'
import { call, client, setCsrfToken } from '@/api/client'
import { ApiProblem, problemFromBody, toProblem } from '@/api/problem'
import { answer, problem } from './server'

afterEach(() => setCsrfToken(null))

describe('problem documents', () => {
  it('keep the code, the words and the fields', () => {
    const read = problemFromBody(
      {
        type: '/api/v1/problems/invalid-request',
        title: 'Invalid request',
        status: 422,
        detail: 'Two things are wrong.',
        request_id: 'r1',
        errors: [{ pointer: '/name', detail: 'too long' }],
      },
      422,
    )
    expect(read).toMatchObject({ code: 'invalid-request', status: 422, requestId: 'r1' })
    expect(read.fields).toEqual([{ pointer: '/name', detail: 'too long' }])
  })

  it('are told from whatever else a proxy may send', () => {
    expect(problemFromBody('<html>', 502)).toMatchObject({ code: 'unexpected', status: 502 })
  })

  it('are told from no answer at all', () => {
    expect(toProblem(new TypeError('Failed to fetch')).code).toBe('network')
  })
})

describe('requests', () => {
  it('carry the token when they change something, and only then', async () => {
    const fetch = vi.fn(async (request: Request) => {
      void request
      return answer({ items: [], next: null })
    })
    vi.stubGlobal('fetch', fetch)
    setCsrfToken('secret')
    await call(client.GET('/api/v1/libraries'))
    await call(client.POST('/api/v1/libraries', { body: { name: 'A' } }))
    const tokens = fetch.mock.calls.map(([request]) => request.headers.get('X-CSRF-Token'))
    expect(tokens).toEqual([null, 'secret'])
  })

  it('are sent once more with a new token when theirs is out of date', async () => {
    const tokens: (string | null)[] = []
    vi.stubGlobal('fetch', async (request: Request) => {
      if (request.url.endsWith('/session')) return answer({ csrf_token: 'new' })
      tokens.push(request.headers.get('X-CSRF-Token'))
      if (tokens.length === 1) return problem(403, 'csrf-failed')
      return answer(await request.json())
    })
    setCsrfToken('old')
    const made = await call(client.POST('/api/v1/libraries', { body: { name: 'A' } }))
    expect(made).toMatchObject({ name: 'A' })
    expect(tokens).toEqual(['old', 'new'])
  })

  it('throw the problem they are answered with', async () => {
    vi.stubGlobal('fetch', async () => problem(409, 'last-owner'))
    const failed = call(client.GET('/api/v1/libraries'))
    await expect(failed).rejects.toBeInstanceOf(ApiProblem)
    await expect(failed).rejects.toMatchObject({ code: 'last-owner', status: 409 })
  })
})
