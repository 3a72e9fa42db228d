/** Where a page stood before: a long list can go back there only once it knows how long it is. */
let waiting: number | null = null

export function keepScroll(top: number | null): void {
  waiting = top
}

export function takeScroll(): number | null {
  const top = waiting
  waiting = null
  return top
}
