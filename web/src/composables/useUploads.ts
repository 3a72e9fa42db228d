import { computed, shallowRef, watch } from 'vue'
import type { OpenShare } from '@/api/types'
import type { Picked } from '@/uploads/files'
import { fingerprintOf } from '@/uploads/interrupted'
import { isFinished, UploadQueue, type Totals, type UploadItem } from '@/uploads/queue'
import { tusTransfer } from '@/uploads/tus'
import { startBatch } from './useBatches'
import { useSession } from './useSession'

const AT_ONCE = 3
/** More rows than anybody reads; the totals say the rest. */
const MOST_ROWS = 60
const REPAINT = 150

interface View {
  rows: UploadItem[]
  hidden: number
  totals: Totals
}

let timer: ReturnType<typeof setTimeout> | undefined

const queue = new UploadQueue(tusTransfer, AT_ONCE, () => {
  // Bytes arrive far more often than anybody looks.
  timer ??= setTimeout(() => {
    timer = undefined
    view.value = look()
  }, REPAINT)
})

function look(): View {
  const { items } = queue
  // What there is still to wait for goes before what is done.
  const open = items.filter(({ state }) => !isFinished(state))
  const shown = items.length > MOST_ROWS ? [...open, ...items.filter(({ state }) => isFinished(state)).reverse()] : items
  const rows = shown.slice(0, MOST_ROWS).map((item) => ({ ...item }))
  return { rows, hidden: items.length - rows.length, totals: queue.totals() }
}

const view = shallowRef<View>(look())
let ownerId: string | undefined

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/** Follows the session: files go on under the account that chose them, or not at all. */
export function startUploads(): void {
  const { account, left } = useSession()
  watch(
    () => account.value?.id,
    (id) => {
      if (id === undefined && !left.value) queue.pause() // signed out by the server: the same person may come back
      else if (id !== ownerId) queue.abandon()
      ownerId = id ?? ownerId
    },
    { immediate: true },
  )
  watch(
    () => view.value.totals.open > 0,
    (busy) => (busy ? addEventListener('beforeunload', warn) : removeEventListener('beforeunload', warn)),
  )
  addEventListener('online', () => queue.retry(undefined, ['network']))
}

/** Several files at once are a delivery, whose way to being ready can be followed. */
async function add(picked: Picked[], libraryId: string, { album }: { album?: string } = {}): Promise<number> {
  const { account } = useSession()
  const accountId = account.value?.id
  if (!accountId) return 0
  const batchId = picked.length > 1 ? await startBatch(libraryId, picked) : undefined
  return queue.add(
    picked.map(({ file, path }) => ({
      file,
      path,
      libraryId,
      albumId: album,
      batchId,
      fingerprint: fingerprintOf(accountId, libraryId, path, file),
    })),
  )
}

/** By somebody without an account, through a link that allows it. */
function addAsGuest(picked: Picked[], { share_id, pass }: OpenShare): number {
  return queue.add(
    picked.map(({ file, path }) => ({ file, path, libraryId: '', pass, fingerprint: fingerprintOf('guest', share_id, path, file) })),
  )
}

export function useUploads() {
  return {
    rows: computed(() => view.value.rows),
    hidden: computed(() => view.value.hidden),
    totals: computed(() => view.value.totals),
    add,
    addAsGuest,
    pause: (id?: number) => queue.pause(id),
    resume: (id?: number) => queue.resume(id),
    retry: (id?: number) => queue.retry(id),
    cancel: (id?: number) => queue.cancel(id),
    dismiss: () => queue.cancel(),
  }
}
