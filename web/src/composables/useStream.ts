import { onMounted, onUnmounted, ref } from 'vue'

const REOPEN_AFTER = 5000
/** Browsers allow few connections to one server, over all tabs: one that is out of sight gives its own back. */
const HIDDEN_FOR = 30_000
/** From one page to the next nobody listens for a moment. */
const LINGER = 2000

export type StreamState = 'connecting' | 'live' | 'lost'
type Handlers = Record<string, (data: never) => void>

interface Listener {
  handlers: Handlers
  onGap: () => void
}

const state = ref<StreamState>('connecting')
const listeners = new Set<Listener>()
let source: EventSource | null = null
let timer: ReturnType<typeof setTimeout> | undefined
let leaving: ReturnType<typeof setTimeout> | undefined
let heard = new Set<string>()
let gap = false

const tellGap = (): void => listeners.forEach(({ onGap }) => onGap())

function hear(kind: string): void {
  if (!source || heard.has(kind)) return
  heard.add(kind)
  source.addEventListener(kind, (event: MessageEvent<string>) => {
    const data = JSON.parse(event.data) as never
    for (const { handlers } of listeners) handlers[kind]?.(data)
  })
}

function open(): void {
  const opened = (source = new EventSource('/api/v1/stream'))
  heard = new Set()
  opened.addEventListener('open', () => {
    state.value = 'live'
    if (gap) tellGap()
    gap = false
  })
  for (const { handlers } of listeners) Object.keys(handlers).forEach(hear)
  // The server no longer has what came after our position.
  opened.addEventListener('reset', tellGap)
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

function join(listener: Listener): void {
  listeners.add(listener)
  clearTimeout(leaving)
  if (source) Object.keys(listener.handlers).forEach(hear)
  else open()
  if (listeners.size === 1) document.addEventListener('visibilitychange', onVisibility)
}

function leave(listener: Listener): void {
  listeners.delete(listener)
  if (listeners.size) return
  document.removeEventListener('visibilitychange', onVisibility)
  clearTimeout(timer)
  leaving = setTimeout(() => {
    close()
    // Whoever comes next loads afresh anyway.
    gap = false
    state.value = 'connecting'
  }, LINGER)
}

/**
 * Follows the server's events, over one connection for the whole page. EventSource takes a broken
 * connection up again by itself and asks for what it missed; only an HTTP error, or being out of
 * sight for long, ends it for good: then a new one is opened, and `onGap` tells everybody to load
 * afresh what they show.
 */
export function useStream(handlers: Handlers, onGap: () => void) {
  const listener = { handlers, onGap }
  onMounted(() => join(listener))
  onUnmounted(() => leave(listener))
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
