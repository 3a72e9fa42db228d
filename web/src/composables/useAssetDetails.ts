import { onUnmounted, ref, shallowRef, watch } from 'vue'
import * as assets from '@/api/assets'
import * as guests from '@/api/guests'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { AssetDetails, Changes, GuestDetails, Job, OpenShare } from '@/api/types'
import { useBundled, useStream } from './useStream'
import { tellTiles } from './tileNews'

/** Flipping through, nobody reads: what is passed by is not asked for. */
const PAUSE = 120

/** Everything known of the photo that is looked at; follows what happens to it. */
export function useAssetDetails(id: () => string, share: OpenShare | null) {
  const details = shallowRef<GuestDetails | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  /** How much of the film browsers will play is made, in percent; none while nobody is at it. */
  const converted = ref<number | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let round = 0

  async function load(): Promise<void> {
    const [wanted, mine] = [id(), ++round]
    try {
      const found = share ? await guests.details(share, wanted) : await assets.details(wanted)
      if (mine !== round) return
      details.value = found
      problem.value = null
    } catch (error) {
      if (mine === round) problem.value = toProblem(error)
    }
  }

  watch(
    id,
    () => {
      round += 1
      if (details.value?.id !== id()) details.value = null
      converted.value = null
      clearTimeout(timer)
      timer = setTimeout(() => void load(), details.value ? 0 : PAUSE)
    },
    { immediate: true },
  )
  onUnmounted(() => {
    round += 1
    clearTimeout(timer)
  })

  if (!share) {
    const again = useBundled(() => void load(), () => 300)
    const isOurs = ({ id: one, ids }: { id?: string; ids?: string[] }): boolean => one === id() || (ids?.includes(id()) ?? false)
    useStream({ 'asset.changed': (event: { id?: string; ids?: string[] }) => isOurs(event) && again(), job: watchConversion }, again)
  }

  function watchConversion({ asset_id, kind, state, progress }: Job): void {
    if (asset_id !== id() || kind !== 'ingest.play') return
    converted.value = state === 'running' && progress?.total ? Math.min(100, Math.round((progress.done / progress.total) * 100)) : null
  }

  async function change(changes: Changes): Promise<void> {
    const wanted = id()
    const now = await assets.change(wanted, changes)
    if (wanted === id()) details.value = now
    const { favourite, archived, rating } = now
    tellTiles({ kind: 'patched', ids: [wanted], changes: { favourite, archived, rating } })
    if (changes.taken_at !== undefined) tellTiles({ kind: 'stale', ids: [wanted] })
  }

  async function retry(): Promise<void> {
    await assets.retry([id()])
    await load()
  }

  return { details, problem, converted, load, change, retry }
}

export const isFull = (details: GuestDetails | null): details is AssetDetails => details?.library_id !== undefined
