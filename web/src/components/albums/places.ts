interface Places {
  /** What is moved, in the order it has. */
  ids: string[]
  /** The tile it would be put before; none where it is at the beginning already. */
  earlier: string | undefined
  /** Null: at the end; undefined where it is there already. */
  later: string | null | undefined
}

/** Where the chosen ones go by one step: they come together before the one ahead of them, or behind the one after. */
export function placesFor(order: string[], chosen: string[]): Places {
  const marked = new Set(chosen)
  const ids = order.filter((id) => marked.has(id))
  const first = order.findIndex((id) => marked.has(id))
  const last = order.length - 1 - [...order].reverse().findIndex((id) => marked.has(id))
  if (!ids.length) return { ids, earlier: undefined, later: undefined }
  const rest = order.filter((id) => !marked.has(id))
  const ahead = order.slice(0, first)
  const together = last - first + 1 === ids.length
  const behind = rest.slice(ahead.length)
  return {
    ids,
    earlier: ahead.at(-1) ?? (together ? undefined : behind[0]),
    later: behind.length ? (behind[1] ?? null) : undefined,
  }
}
