import { onMounted, ref, shallowRef } from 'vue'
import * as tidy from '@/api/tidy'
import type { DuplicateSummary, QualityVerdict } from '@/api/types'
import { useBundled, useStream } from './useStream'

/** How much there is to decide in a library, kept in step with what happens there. */
export function useTidy(library: () => string) {
  const summary = shallowRef<DuplicateSummary | null>(null)
  const counts = shallowRef<Partial<Record<QualityVerdict, number>>>({})
  /** Grows when something else than this page has changed what there is to decide. */
  const changes = ref(0)

  async function load(): Promise<void> {
    // Figures beside a list: where they cannot be had, the list says why.
    const [all, some] = await Promise.all([tidy.summary(library()).catch(() => null), tidy.counts(library()).catch(() => ({}))])
    summary.value = all
    counts.value = some
  }

  const later = useBundled(() => {
    changes.value += 1
    void load()
  })
  useStream({ 'duplicates.changed': later, 'quality.changed': later, 'asset.trashed': later, 'asset.restored': later }, later)
  onMounted(load)

  return { summary, counts, changes, load }
}
