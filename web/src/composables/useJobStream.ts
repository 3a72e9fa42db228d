import { onMounted, onUnmounted, ref } from 'vue'
import type { Job } from '@/api/types'

const REOPEN_AFTER = 5000

export type StreamState = 'connecting' | 'live' | 'lost'

/**
 * Follows the server's events about jobs. EventSource takes a broken connection up again by
 * itself and asks for what it missed; only an HTTP error ends it for good, and then a new one
 * is opened and `onGap` tells the page to load its list afresh.
 */
export function useJobStream(onJob: (job: Job) => void, onGap: () => void) {
  const state = ref<StreamState>('connecting')
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let gap = false

  function open(): void {
    source = new EventSource('/api/v1/stream')
    source.addEventListener('open', () => {
      state.value = 'live'
      if (gap) onGap()
      gap = false
    })
    source.addEventListener('job', (event: MessageEvent<string>) => onJob(JSON.parse(event.data) as Job))
    // The server no longer has what came after our position.
    source.addEventListener('reset', onGap)
    source.addEventListener('error', () => {
      if (source?.readyState !== EventSource.CLOSED) {
        state.value = 'connecting'
        return
      }
      state.value = 'lost'
      gap = true
      clearTimeout(timer)
      timer = setTimeout(open, REOPEN_AFTER)
    })
  }

  onMounted(open)
  onUnmounted(() => {
    clearTimeout(timer)
    source?.close()
  })

  return { state }
}
