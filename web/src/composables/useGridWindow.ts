import { onMounted, onUnmounted, ref, type Ref } from 'vue'

const SETTLED = 140

/** What of a tall element the page shows, and how wide it is. */
export function useGridWindow(element: Ref<HTMLElement | null>) {
  const y = ref(0)
  const height = ref(globalThis.innerHeight)
  const width = ref(0)
  /** Passing by so fast that nobody could see a picture. */
  const flying = ref(false)
  let top = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let observer: ResizeObserver | undefined

  function measure(): void {
    if (!element.value) return
    const box = element.value.getBoundingClientRect()
    top = box.top + scrollY
    width.value = Math.floor(box.width)
    height.value = innerHeight
    look()
  }

  function look(): void {
    const now = scrollY - top
    if (Math.abs(now - y.value) > height.value * 1.5) flying.value = true
    y.value = now
    if (!flying.value) return
    clearTimeout(timer)
    timer = setTimeout(() => (flying.value = false), SETTLED)
  }

  function scrollTo(wanted: number): void {
    window.scrollTo({ top: wanted + top, behavior: 'instant' })
    look()
  }

  onMounted(() => {
    observer = new ResizeObserver(measure)
    if (element.value) observer.observe(element.value)
    // What stands above it may grow too.
    if (element.value?.parentElement) observer.observe(element.value.parentElement)
    addEventListener('resize', measure)
    addEventListener('scroll', look, { passive: true })
    measure()
  })
  onUnmounted(() => {
    observer?.disconnect()
    removeEventListener('resize', measure)
    removeEventListener('scroll', look)
    clearTimeout(timer)
  })

  return { y, height, width, flying, look, scrollTo }
}
