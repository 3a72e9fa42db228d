import { onUnmounted, ref } from 'vue'

/** Whether the page is as narrow as a phone. */
export function useNarrow() {
  const query = matchMedia('(width < 48rem)')
  const narrow = ref(query.matches)
  const onChange = (): void => void (narrow.value = query.matches)
  query.addEventListener('change', onChange)
  onUnmounted(() => query.removeEventListener('change', onChange))
  return narrow
}
