/**
 * The token of a one-time link. It travels in the fragment, which browsers do not send, and is
 * taken out of the address bar at once; this tab keeps it, so that a reload loses nothing.
 */
const KEY = 'tagphoto.link'

export function takeToken(hash: string): string {
  const token = decodeURIComponent(hash.replace(/^#/, ''))
  try {
    if (token) sessionStorage.setItem(KEY, token)
    return token || (sessionStorage.getItem(KEY) ?? '')
  } catch {
    // No storage: the token lives as long as the page.
    return token
  }
}

export function dropToken(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // See above.
  }
}
