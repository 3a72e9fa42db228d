import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useSession } from '@/composables/useSession'
import { guard } from '@/router/guard'
import { safeNext } from '@/router/next'
import { routes } from '@/router/routes'
import { problem, sessionDocument } from './server'

const blank = { template: '<i />' }

async function landing(path: string): Promise<string> {
  const plain = routes.map((route) => ({ ...route, component: blank }) as (typeof routes)[number])
  const router = createRouter({ history: createMemoryHistory(), routes: plain })
  router.beforeEach(guard)
  await router.push(path)
  return `${String(router.currentRoute.value.name)} ${router.currentRoute.value.fullPath}`
}

describe('the guard', () => {
  const { setSession } = useSession()

  beforeEach(() => {
    vi.stubGlobal('fetch', async () => problem(401, 'not-signed-in'))
    setSession(null)
  })

  it('sends a stranger to sign in and remembers where to', async () => {
    expect(await landing('/account')).toBe('sign-in /sign-in?next=/account')
    expect(await landing('/')).toBe('sign-in /sign-in')
  })

  it('lets anyone use a one-time link', async () => {
    expect(await landing('/welcome#token')).toBe('welcome /welcome#token')
  })

  it('hides administration behind the page for wrong addresses', async () => {
    setSession(sessionDocument() as Parameters<typeof setSession>[0])
    expect(await landing('/admin/audit')).toBe('not-found /admin/audit')
  })

  it('lets an administrator in', async () => {
    setSession(sessionDocument({ is_admin: true }) as Parameters<typeof setSession>[0])
    expect(await landing('/jobs')).toBe('jobs /jobs')
  })

  it('takes whoever is signed in past the sign-in page', async () => {
    setSession(sessionDocument() as Parameters<typeof setSession>[0])
    expect(await landing('/sign-in?next=/account')).toBe('account /account')
  })
})

describe('the way back after signing in', () => {
  it.each([
    ['/account?x=1', '/account?x=1'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    [undefined, '/'],
  ])('%s leads to %s', (next, path) => expect(safeNext(next)).toBe(path))
})
