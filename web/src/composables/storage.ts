/** localStorage may be switched off or full; a forgotten preference is no failure. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`tagphoto.${key}`)
  } catch {
    return null
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tagphoto.${key}`)
    else localStorage.setItem(`tagphoto.${key}`, value)
  } catch {
    // See above.
  }
}
