import type { RouteLocationNormalized, RouteLocationRaw } from 'vue-router'
import { useSession } from '@/composables/useSession'
import { safeNext } from './next'

type Verdict = true | RouteLocationRaw

export async function guard(to: RouteLocationNormalized): Promise<Verdict> {
  const { account, isAdmin, failure, ensureSession } = useSession()
  await ensureSession()
  // Whether there is a session is not known: the shell says so and offers to try again.
  if (failure.value) return true

  const { access } = to.meta
  if (access === 'guest') return account.value ? safeNext(to.query.next) : true
  if (access === 'anyone') return true
  if (!account.value) return { name: 'sign-in', query: to.path === '/' ? {} : { next: to.fullPath } }
  if (access === 'admin' && !isAdmin.value) return notFound(to)
  return true
}

/** The page for a wrong address, with the address left as it is. */
function notFound(to: RouteLocationNormalized): RouteLocationRaw {
  const path = to.path.split('/').slice(1)
  return { name: 'not-found', params: { path }, query: to.query, hash: to.hash }
}
