import { defaultOptions, Upload, type PreviousUpload } from 'tus-js-client'
import { call, client, currentCsrfToken } from '@/api/client'
import { hasCode } from '@/api/problem'

/** An upload that a closed or reloaded page left behind. A page cannot open files by itself: they are chosen again. */
export interface Interrupted {
  key: string
  name: string
  sent: number
  size: number
  url: string
}

const MOST = 50
const STORED = 'tus::'

export const prefixOf = (accountId: string): string => `tagphoto:${accountId}:`

export function fingerprintOf(accountId: string, libraryId: string, path: string, file: File): string {
  return `${prefixOf(accountId)}${libraryId}:${path}:${file.size}:${file.lastModified}`
}

const storage = defaultOptions.urlStorage

/** Those of this account and library that the server still has; the others are forgotten here too. */
export async function findInterrupted(accountId: string, libraryId: string): Promise<Interrupted[]> {
  const prefix = `${STORED}${prefixOf(accountId)}${libraryId}:`
  const stored = (await storage.findAllUploads()).filter(({ urlStorageKey }) => urlStorageKey.startsWith(prefix))
  const shown = await Promise.all(stored.slice(0, MOST).map(look))
  return shown.filter((item) => item !== null)
}

async function look(stored: PreviousUpload): Promise<Interrupted | null> {
  const url = stored.uploadUrl ?? ''
  const upload_id = url.split('/').pop() ?? ''
  try {
    const shown = await call(client.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id } } }))
    if (shown.state === 'finished') {
      await storage.removeUpload(stored.urlStorageKey)
      return null
    }
    return { key: stored.urlStorageKey, name: shown.name, sent: shown.offset, size: shown.length ?? 0, url }
  } catch (error) {
    if (hasCode(error, 'not-found') || hasCode(error, 'upload-gone')) await storage.removeUpload(stored.urlStorageKey)
    return null
  }
}

export const isOf = (item: Interrupted, fingerprint: string): boolean => item.key.startsWith(`${STORED}${fingerprint}::`)

export async function forgetInterrupted({ key, url }: Interrupted): Promise<void> {
  await Upload.terminate(url, { headers: { 'X-CSRF-Token': currentCsrfToken() } }).catch(() => undefined)
  await storage.removeUpload(key)
}
