import type { ApiProblem } from '@/api/problem'

/** What is happening to a file. The first five are still to be waited for. */
export type UploadState = 'waiting' | 'checking' | 'sending' | 'retrying' | 'paused' | 'done' | 'duplicate' | 'failed'

export interface Candidate {
  file: File
  /** The folder it came from and its name. */
  path: string
  libraryId: string
  /** The same file again has the same one. */
  fingerprint: string
  /** The album it is put into as well. */
  albumId?: string
  /** The delivery it came with. */
  batchId?: string
  /** A guest's: what opening the link gave. */
  pass?: string
}

export interface UploadItem extends Candidate {
  id: number
  state: UploadState
  sent: number
  problem: ApiProblem | null
}

/** What a transfer tells the queue. */
export interface Listener {
  checking: () => void
  sending: (sent: number) => void
  retrying: () => void
  done: (duplicate: boolean) => void
  failed: (problem: ApiProblem) => void
}

export interface Transfer {
  /** Begins, or goes on after `stop`. */
  start: () => void
  stop: () => void
  /** Stops, and lets the server forget what it has. */
  forget: () => void
}

export type MakeTransfer = (item: Candidate, listener: Listener) => Transfer

export interface Totals {
  files: number
  finished: number
  duplicates: number
  failed: number
  paused: number
  /** Files to be waited for, the paused ones included. */
  open: number
  bytes: number
  sent: number
}

const UNDER_WAY: ReadonlySet<UploadState> = new Set(['checking', 'sending', 'retrying'])
const FINISHED: ReadonlySet<UploadState> = new Set(['done', 'duplicate'])

export const isUnderWay = (state: UploadState): boolean => UNDER_WAY.has(state)
export const isFinished = (state: UploadState): boolean => FINISHED.has(state)
export const isOpen = (state: UploadState): boolean => !FINISHED.has(state) && state !== 'failed'

/** Sends files, a few at a time, in the order they came. */
export class UploadQueue {
  readonly items: UploadItem[] = []
  private readonly transfers = new Map<number, Transfer>()
  private lastId = 0

  constructor(
    private readonly make: MakeTransfer,
    private readonly atOnce: number,
    private readonly changed: () => void,
  ) {}

  /** A file that is being sent already is not sent twice. Gives how many were taken. */
  add(candidates: Candidate[]): number {
    if (!this.items.some(({ state }) => isOpen(state))) this.clearFinished()
    const known = new Set(this.items.filter(({ state }) => isOpen(state)).map(({ fingerprint }) => fingerprint))
    let taken = 0
    for (const candidate of candidates) {
      if (known.has(candidate.fingerprint)) continue
      known.add(candidate.fingerprint)
      this.items.push({ ...candidate, id: ++this.lastId, state: 'waiting', sent: 0, problem: null })
      taken += 1
    }
    this.go()
    return taken
  }

  pause(id?: number): void {
    for (const item of this.chosen(id)) {
      if (!isOpen(item.state)) continue
      item.state = 'paused'
      this.transfers.get(item.id)?.stop()
    }
    this.go()
  }

  resume(id?: number): void {
    for (const item of this.chosen(id)) if (item.state === 'paused') item.state = 'waiting'
    this.go()
  }

  /** Begins again with what failed: one file, all of them, or those that failed by one of these codes. */
  retry(id?: number, codes?: string[]): void {
    for (const item of this.chosen(id)) {
      if (item.state !== 'failed' || (codes && !codes.includes(item.problem?.code ?? ''))) continue
      item.state = 'waiting'
      item.problem = null
    }
    this.go()
  }

  cancel(id?: number): void {
    for (const item of [...this.chosen(id)]) {
      this.items.splice(this.items.indexOf(item), 1)
      if (!isFinished(item.state)) this.transfers.get(item.id)?.forget()
      this.transfers.delete(item.id)
    }
    this.go()
  }

  /** Drops everything at once, without telling the server: the files can be taken up again later. */
  abandon(): void {
    for (const transfer of this.transfers.values()) transfer.stop()
    this.transfers.clear()
    this.items.length = 0
    this.changed()
  }

  clearFinished(): void {
    const left = this.items.filter(({ state }) => !isFinished(state))
    this.items.splice(0, this.items.length, ...left)
    this.changed()
  }

  totals(): Totals {
    const totals = { files: 0, finished: 0, duplicates: 0, failed: 0, paused: 0, open: 0, bytes: 0, sent: 0 }
    for (const { state, file, sent } of this.items) {
      totals.files += 1
      totals.bytes += file.size
      totals.sent += isFinished(state) ? file.size : sent
      if (isFinished(state)) totals.finished += 1
      if (isOpen(state)) totals.open += 1
      if (state === 'duplicate') totals.duplicates += 1
      if (state === 'failed') totals.failed += 1
      if (state === 'paused') totals.paused += 1
    }
    return totals
  }

  private chosen(id: number | undefined): UploadItem[] {
    return id === undefined ? this.items : this.items.filter((item) => item.id === id)
  }

  private go(): void {
    let free = this.atOnce - this.items.filter(({ state }) => isUnderWay(state)).length
    for (const item of this.items) {
      if (free <= 0) break
      if (item.state !== 'waiting') continue
      free -= 1
      item.state = 'checking'
      this.transferOf(item).start()
    }
    this.changed()
  }

  private transferOf(item: UploadItem): Transfer {
    const known = this.transfers.get(item.id)
    if (known) return known
    // A word that comes after the item was paused or dropped is no longer about it.
    const heard = (tell: () => void) => {
      if (!isUnderWay(item.state) || !this.transfers.has(item.id)) return
      tell()
      if (isUnderWay(item.state)) this.changed()
      else this.go()
    }
    const become = (state: UploadState) => heard(() => (item.state = state))
    const made = this.make(item, {
      checking: () => become('checking'),
      retrying: () => become('retrying'),
      sending: (sent) =>
        heard(() => {
          item.state = 'sending'
          item.sent = sent
        }),
      done: (duplicate) =>
        heard(() => {
          item.state = duplicate ? 'duplicate' : 'done'
          this.transfers.delete(item.id)
        }),
      failed: (problem) =>
        heard(() => {
          item.state = 'failed'
          item.problem = problem
        }),
    })
    this.transfers.set(item.id, made)
    return made
  }
}
