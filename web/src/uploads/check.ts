import { call, client } from '@/api/client'
import { ApiProblem } from '@/api/problem'

/** Larger files would have to be held in memory as a whole: they are sent, and the server finds out. */
const LARGEST_HASHED = 64 * 1024 * 1024
const NOT_NOW = new Set(['network', 'unavailable', 'unexpected', 'internal-error'])

let last: Promise<unknown> = Promise.resolve()

/** The SHA-256 of a file in hexadecimal; none of a large one, nor where the page did not come by HTTPS. */
export function hashOf(file: Blob): Promise<string | null> {
  if (file.size > LARGEST_HASHED || !globalThis.crypto?.subtle) return Promise.resolve(null)
  // One after the other: each is in memory as a whole.
  const mine = last.then(async () => {
    const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  })
  last = mine.catch(() => undefined)
  return mine
}

/** The asset by which the library has these bytes, out of the trash. What is in it is sent, and so comes back. */
export async function foundThere(libraryId: string, sha256: string): Promise<string | null> {
  try {
    const body = { library_id: libraryId, hashes: [sha256] }
    const { items } = await call(client.POST('/api/v1/assets/check', { body }))
    return items.find(({ asset_id, trashed }) => asset_id !== null && !trashed)?.asset_id ?? null
  } catch (error) {
    // The question only saves work; sending knows how to wait for a server.
    if (error instanceof ApiProblem && !NOT_NOW.has(error.code)) throw error
    return null
  }
}
