import { computed, reactive, type Ref } from 'vue'

interface Hooks {
  /** The size of the picture when all of it is seen. */
  fitted: () => { width: number; height: number }
  swipe: (direction: 1 | -1) => void
  dismiss: () => void
  tap: () => void
}

const MOST = 8
const STEP = 1.5
const DOUBLE = 2.5
const SWIPE = 60
const TAP = 8

/** Zooming and moving a picture by wheel, fingers and keys; not zoomed, a finger's move leads to the next one. */
export function useZoom(stage: Ref<HTMLElement | null>, hooks: Hooks) {
  const at = reactive({ scale: 1, x: 0, y: 0, drag: 0, fall: 0, still: true })
  const pointers = new Map<number, { x: number; y: number }>()
  let began = { x: 0, y: 0, distance: 0, scale: 1 }
  let pinched = false

  const zoomed = computed(() => at.scale > 1.001)
  const transform = computed(() => `translate(${at.x + at.drag}px, ${at.y + at.fall}px) scale(${at.scale})`)

  function clamp(): void {
    const box = stage.value?.getBoundingClientRect()
    const { width, height } = hooks.fitted()
    if (!box) return
    const across = Math.max(0, (width * at.scale - box.width) / 2)
    const down = Math.max(0, (height * at.scale - box.height) / 2)
    at.x = Math.min(across, Math.max(-across, at.x))
    at.y = Math.min(down, Math.max(-down, at.y))
  }

  /** What is under the point stays under it. */
  function zoomTo(scale: number, clientX?: number, clientY?: number): void {
    const box = stage.value?.getBoundingClientRect()
    if (!box) return
    const next = Math.min(MOST, Math.max(1, scale))
    const x = (clientX ?? box.left + box.width / 2) - box.left - box.width / 2
    const y = (clientY ?? box.top + box.height / 2) - box.top - box.height / 2
    at.x = x - ((x - at.x) * next) / at.scale
    at.y = y - ((y - at.y) * next) / at.scale
    at.scale = next
    clamp()
  }

  const zoomIn = (): void => zoomTo(at.scale * STEP)
  const zoomOut = (): void => zoomTo(at.scale / STEP)
  const reset = (): void => void Object.assign(at, { scale: 1, x: 0, y: 0, drag: 0, fall: 0, still: true })
  const pan = (x: number, y: number): void => {
    at.x += x
    at.y += y
    clamp()
  }

  function onWheel(event: WheelEvent): void {
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1
    zoomTo(at.scale * Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY)
  }

  const onDouble = (event: MouseEvent): void => (zoomed.value ? reset() : zoomTo(DOUBLE, event.clientX, event.clientY))

  const spread = (): number => {
    const [one, other] = [...pointers.values()]
    return one && other ? Math.hypot(one.x - other.x, one.y - other.y) : 0
  }

  function onDown(event: PointerEvent): void {
    if (event.button) return
    stage.value?.setPointerCapture(event.pointerId)
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (pointers.size === 1) pinched = false
    began = { x: event.clientX, y: event.clientY, distance: spread(), scale: at.scale }
    at.still = false
  }

  function onMove(event: PointerEvent): void {
    const before = pointers.get(event.pointerId)
    if (!before) return
    const now = { x: event.clientX, y: event.clientY }
    pointers.set(event.pointerId, now)
    if (pointers.size > 1 && began.distance) {
      pinched = true
      const [one, other] = [...pointers.values()]
      if (one && other) zoomTo((began.scale * spread()) / began.distance, (one.x + other.x) / 2, (one.y + other.y) / 2)
    } else if (zoomed.value) {
      pan(now.x - before.x, now.y - before.y)
    } else if (event.pointerType === 'touch' && !pinched) {
      const [dx, dy] = [now.x - began.x, now.y - began.y]
      if (Math.abs(dx) >= Math.abs(dy)) [at.drag, at.fall] = [dx, 0]
      else [at.drag, at.fall] = [0, Math.max(0, dy)]
    }
  }

  function onUp(event: PointerEvent): void {
    if (!pointers.delete(event.pointerId) || pointers.size) return
    at.still = true
    const { drag, fall } = at
    at.drag = 0
    at.fall = 0
    if (Math.abs(drag) > SWIPE) hooks.swipe(drag < 0 ? 1 : -1)
    else if (fall > SWIPE * 1.5) hooks.dismiss()
    else if (!pinched && !zoomed.value && Math.hypot(event.clientX - began.x, event.clientY - began.y) < TAP) hooks.tap()
  }

  return { at, zoomed, transform, zoomTo, zoomIn, zoomOut, reset, pan, onWheel, onDouble, onDown, onMove, onUp }
}
