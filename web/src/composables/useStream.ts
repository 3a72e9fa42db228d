import { onMounted, onUnmounted, ref } from 'vue'

const REOPEN_AFTER = 5000
/** Browsers allow few connections to one server, over all tabs: one that is out of sight gives its own back. */
const HIDDEN_FOR = 30_000

export type StreamState = 'connecting' | 'live' | 'lost'
type Handlers = Record<string, (data: never) => void>

/**
 * Follows the server's events. EventSource takes a broken connection up again by itself and asks
 * for what it missed; only an HTTP error, or being out of sight for long, ends it for good: then
 * a new one is opened, and `onGap` tells the page to load afresh what it shows.
 */
export function useStream(handlers: Handlers, onGap: () => void) {
  const state = ref<StreamState>('connecting')
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let gap = false

  function open(): void {
    const opened = (source = new EventSource('/api/v1/stream'))
    opened.addEventListener('open', () => {
      state.value = 'live'
      if (gap) onGap()
      gap = false
    })
    for (const [kind, handle] of Object.entries(handlers)) {
      opened.addEventListener(kind, (event: MessageEvent<string>) => handle(JSON.parse(event.data) as never))
    }
    // The server no longer has what came after our position.
    opened.addEventListener('reset', onGap)
    opened.addEventListener('error', () => {
      if (opened.readyState !== EventSource.CLOSED) {
        state.value = 'connecting'
        return
      }
      state.value = 'lost'
      close()
      timer = setTimeout(open, REOPEN_AFTER)
    })
  }

  function close(): void {
    clearTimeout(timer)
    source?.close()
    source = null
    gap = true
  }

  function onVisibility(): void {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(close, HIDDEN_FOR)
    else if (!source) open()
  }

  onMounted(() => {
    open()
    document.addEventListener('visibilitychange', onVisibility)
  })
  onUnmounted(() => {
    document.removeEventListener('visibilitychange', onVisibility)
    close()
  })

  return { state }
}

/** Bundles calls: the first waits a little for others, and they become one. */
export function useBundled(run: () => void, pause: () => number = () => 700): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  onUnmounted(() => clearTimeout(timer))
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      run()
    }, pause())
  }
}
