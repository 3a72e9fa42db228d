import { computed, shallowRef } from 'vue'
import * as api from '@/api/batches'
import type { Batch } from '@/api/types'
import type { Picked } from '@/uploads/files'

const EVERY = 2500
/** After that long without any change nobody waits for it any more. */
const PATIENCE = 60

const followed = shallowRef<Batch[]>([])
let timer: ReturnType<typeof setTimeout> | undefined
let unchanged = 0

/** A folder's name, if they all come from one; else the moment. */
function nameOf(picked: Picked[]): string {
  const folders = new Set(picked.map(({ path }) => (path.includes('/') ? path.split('/')[0] : '')))
  const [only] = folders
  return folders.size === 1 && only ? only : new Date().toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' })
}

/** Begins a delivery; without one the files are sent all the same. */
export async function startBatch(libraryId: string, picked: Picked[]): Promise<string | undefined> {
  try {
    const batch = await api.create(libraryId, nameOf(picked))
    followed.value = [...followed.value.filter((other) => !isReady(other)), batch]
    unchanged = 0
    follow()
    return batch.id
  } catch {
    return undefined
  }
}

const isReady = ({ uploads, steps }: Batch): boolean => uploads.open === 0 && steps.waiting === 0

function follow(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void look(), EVERY)
}

async function look(): Promise<void> {
  const before = JSON.stringify(followed.value)
  followed.value = await Promise.all(followed.value.map((batch) => api.one(batch.id).catch(() => batch)))
  unchanged = JSON.stringify(followed.value) === before ? unchanged + 1 : 0
  const waiting = followed.value.some((batch) => !isReady(batch) || !batch.assets)
  if (waiting && unchanged < PATIENCE) follow()
}

/** How far what was sent together has come: received is not yet ready to be looked at. */
export function useBatches() {
  const progress = computed(() => {
    const sums = { ready: 0, assets: 0, failed: 0 }
    for (const { assets, steps } of followed.value) {
      const all = steps.waiting + steps.done + steps.failed + steps.skipped
      sums.assets += assets
      sums.failed += steps.failed
      // Steps are counted, not assets: rounded down, so that all are ready only when they are.
      sums.ready += all ? Math.floor((assets * (all - steps.waiting)) / all) : 0
    }
    return sums
  })
  const forget = (): void => {
    clearTimeout(timer)
    followed.value = []
  }
  return { progress, forget }
}
