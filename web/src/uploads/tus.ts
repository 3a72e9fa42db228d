import { DetailedError, Upload, type HttpResponse, type UploadOptions } from 'tus-js-client'
import * as albums from '@/api/albums'
import { ask } from '@/api/ask'
import { currentCsrfToken, refreshCsrfToken } from '@/api/client'
import { ApiProblem, problemFromBody, toProblem } from '@/api/problem'
import type { Upload as Shown } from '@/api/types'
import { foundThere, hashOf } from './check'
import type { Candidate, Listener, Transfer } from './queue'

const ENDPOINT = '/api/v1/uploads'
/** For about a quarter of an hour without any progress; each byte that arrives begins it anew. */
const RETRY_DELAYS = [0, 1000, 2000, 4000, 8000, 15_000, ...Array<number>(30).fill(30_000)]
/** So small that sending it again costs less than asking first. */
const WITH_CREATION = 1024 * 1024
const SETTLING = { times: 30, pause: 1000 }
const NEVER_AGAIN = new Set(['quota-exceeded', 'damaged'])
const AGAIN = new Set(['csrf-failed', 'offset-mismatch', 'upload-locked', 'too-many-uploads'])
/** An answer to HEAD has no body to say more. */
const HEAD_CODES: Record<number, string> = {
  401: 'not-signed-in',
  403: 'forbidden',
  409: 'offset-mismatch',
  412: 'upload-version',
  429: 'too-many-uploads',
  460: 'checksum-mismatch',
}

function problemOf(error: Error | DetailedError): ApiProblem {
  if (!(error instanceof DetailedError)) return toProblem(error)
  if (error.causingError instanceof ApiProblem) return error.causingError
  const response = error.originalResponse
  if (!response) return new ApiProblem('network', 0, error.message)
  return problemFromBody(parsed(response.getBody()), response.getStatus())
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

export const mayRetry = ({ code, status }: ApiProblem): boolean =>
  AGAIN.has(code) || (!NEVER_AGAIN.has(code) && (status === 0 || status >= 500))

/**
 * The client library begins a new upload whenever a HEAD is refused, and forgets the old one: that
 * is right only where the server no longer has it. A server that is just starting, or a proxy that
 * waits for one, is to be asked again.
 */
function refuseToBeginAnew(method: string, response: HttpResponse): void {
  const status = response.getStatus()
  if (method !== 'HEAD' || status < 400 || [404, 410, 423].includes(status)) return
  throw new ApiProblem(HEAD_CODES[status] ?? 'unavailable', status, '')
}

/** Sends one file through tus: asks whether it is there, takes up what an earlier visit began, and goes on after breaks. */
export function tusTransfer(item: Candidate, on: Listener): Transfer {
  const { file, libraryId, albumId, batchId, pass } = item
  let upload: Upload | null = null
  let address: string | null = null
  let round = 0
  let tokenIsOld = false

  function options(sha256: string | null): UploadOptions {
    const metadata: Record<string, string> = { filename: file.name, filetype: file.type, modified: String(file.lastModified) }
    // A guest's go where the link says.
    if (!pass) metadata.library = libraryId
    if (albumId && !pass) metadata.album = albumId
    if (batchId) metadata.batch = batchId
    return {
      endpoint: ENDPOINT,
      uploadUrl: address,
      metadata: sha256 ? { ...metadata, sha256 } : metadata,
      fingerprint: async () => item.fingerprint,
      removeFingerprintOnSuccess: true,
      uploadDataDuringCreation: file.size <= WITH_CREATION,
      retryDelays: RETRY_DELAYS,
      onBeforeRequest: async (request) => {
        if (pass) return request.setHeader('Authorization', `Share ${pass}`)
        if (tokenIsOld) await refreshCsrfToken()
        tokenIsOld = false
        request.setHeader('X-CSRF-Token', currentCsrfToken())
      },
      onAfterResponse: (request, response) => refuseToBeginAnew(request.getMethod(), response),
      onShouldRetry: (error) => {
        const problem = problemOf(error)
        tokenIsOld = problem.code === 'csrf-failed'
        if (!mayRetry(problem)) return false
        on.retrying()
        return true
      },
      onProgress: (sent) => on.sending(sent),
      onError: (error) => {
        // The next attempt has all its retries again, and goes on where this one ended.
        address = upload?.url ?? null
        upload = null
        on.failed(problemOf(error))
      },
      onSuccess: ({ lastResponse }) => void settle(lastResponse),
    }
  }

  /** All bytes are there. Whether they became a photo is said with the last of them, or a moment later. */
  async function settle(response: HttpResponse): Promise<void> {
    const mine = round
    try {
      if (response.getHeader('Upload-Asset')) return on.done(response.getHeader('Upload-Duplicate') === 'true')
      const upload_id = upload?.url?.split('/').pop() ?? ''
      for (let turn = 0; turn < SETTLING.times; turn += 1) {
        const shown = await ask<Shown>('GET', `/uploads/${upload_id}`, { pass })
        if (mine !== round) return
        if (shown.state === 'finished') return on.done(shown.duplicate)
        await new Promise((resolve) => setTimeout(resolve, SETTLING.pause))
      }
      throw new ApiProblem('unavailable', 0, '')
    } catch (error) {
      if (mine === round) on.failed(toProblem(error))
    }
  }

  async function prepare(current: () => boolean): Promise<Upload | null> {
    on.checking()
    await readable(file)
    const sha256 = await hashOf(file)
    const there = sha256 && !pass && current() ? await foundThere(libraryId, sha256) : null
    if (there) {
      if (albumId) await albums.add(albumId, [there])
      if (current()) on.done(true)
      return null
    }
    const made = new Upload(file, options(sha256))
    const [earlier] = await made.findPreviousUploads()
    if (earlier && !address) made.resumeFromPreviousUpload(earlier)
    return made
  }

  async function start(): Promise<void> {
    const mine = ++round
    const current = (): boolean => mine === round
    try {
      const ready = upload ?? (await prepare(current))
      if (!ready || !current()) return
      upload = ready
      upload.start()
    } catch (error) {
      if (current()) on.failed(toProblem(error))
    }
  }

  function stop(terminate: boolean): void {
    round += 1
    // What cannot be told to the server now, it forgets by itself after a while.
    upload?.abort(terminate).catch(() => undefined)
  }

  return { start: () => void start(), stop: () => stop(false), forget: () => stop(true) }
}

/** A file may be gone, or may have changed, since it was chosen; later that looks like a lost connection. */
async function readable(file: Blob): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer()
  } catch (error) {
    throw new ApiProblem('file-unreadable', 0, String(error))
  }
}
