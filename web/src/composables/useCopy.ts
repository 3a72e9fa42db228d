import { onUnmounted, ref } from 'vue'

/** Copies to the clipboard; `copied` and `failed` say how it went. */
export function useCopy() {
  const copied = ref(false)
  const failed = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function copy(text: string): Promise<void> {
    try {
      // Absent outside a secure context: an archive at home may run on plain HTTP.
      await navigator.clipboard.writeText(text)
      copied.value = true
      failed.value = false
      clearTimeout(timer)
      timer = setTimeout(() => (copied.value = false), 3000)
    } catch {
      failed.value = true
    }
  }

  onUnmounted(() => clearTimeout(timer))
  return { copy, copied, failed }
}
