import type { LocationQueryValue } from 'vue-router'

/** Where to go after signing in: only a path of our own, never another site. */
export function safeNext(value: LocationQueryValue | LocationQueryValue[] | undefined): string {
  const path = Array.isArray(value) ? value[0] : value
  // Browsers read "//host" and "/\host" as another site.
  return path && /^\/(?![/\\])/.test(path) ? path : '/'
}
