import { ref, shallowRef } from 'vue'
import * as api from '@/api/guests'
import { hasCode, toProblem, type ApiProblem } from '@/api/problem'
import type { OpenShare } from '@/api/types'
import { useTileSource } from './useTileSource'

const KEY = 'tagphoto.share.'

function kept(token: string): OpenShare | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY + token) ?? 'null') as OpenShare | null
    return found && new Date(found.expires_at) > new Date() ? found : null
  } catch {
    return null
  }
}

function keep(token: string, share: OpenShare | null): void {
  try {
    if (share) sessionStorage.setItem(KEY + token, JSON.stringify(share))
    else sessionStorage.removeItem(KEY + token)
  } catch {
    // No storage: a reload asks for the password again.
  }
}

/** What a link shows to whoever has it. A pass that has ended is asked for anew, with the password if there is one. */
export function useGuest(token: string) {
  const share = shallowRef<OpenShare | null>(null)
  const locked = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)

  async function open(password?: string): Promise<void> {
    const found = await api.open(token, password)
    keep(token, found)
    share.value = found
    locked.value = false
  }

  /** Without a password, as far as that goes. */
  async function enter(): Promise<void> {
    problem.value = null
    share.value = kept(token)
    if (share.value) return
    try {
      await open()
    } catch (error) {
      if (hasCode(error, 'share-password-required')) locked.value = true
      else problem.value = toProblem(error)
    }
  }

  async function tiles(cursor?: string) {
    const now = share.value
    if (!now) return { items: [], next: null }
    try {
      return await api.tiles(now, cursor)
    } catch (error) {
      // The link has ended, has another password, or the pass is old: only opening it again says which.
      if ([401, 404, 410].includes(toProblem(error).status)) {
        keep(token, null)
        share.value = null
        await enter()
      }
      throw error
    }
  }

  const source = useTileSource({
    heads: async () => (share.value?.album.count ? [{ key: '', count: share.value.album.count }] : []),
    page: (_key, cursor) => tiles(cursor),
  })

  return { share, locked, problem, source, enter, open }
}
