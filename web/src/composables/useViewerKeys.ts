interface Deeds {
  close: () => void
  go: (step: 1 | -1) => void
  favourite: () => void
  archive: () => void
  trash: () => void
  download: () => void
  info: () => void
  zoomIn: () => void
  zoomOut: () => void
  zoomReset: () => void
  live: () => void
}

/** Keys of the viewer. Letters by their place: on a Russian keyboard they are the same keys. */
export function useViewerKeys(deeds: Deeds) {
  const named: Record<string, () => void> = {
    Escape: deeds.close,
    ArrowRight: () => deeds.go(1),
    ArrowLeft: () => deeds.go(-1),
    Delete: deeds.trash,
    '+': deeds.zoomIn,
    '=': deeds.zoomIn,
    '-': deeds.zoomOut,
    '0': deeds.zoomReset,
  }
  const placed: Record<string, () => void> = {
    KeyF: deeds.favourite,
    KeyA: deeds.archive,
    KeyD: deeds.download,
    KeyI: deeds.info,
    KeyL: deeds.live,
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const { target } = event
    if (target instanceof HTMLElement && target.closest('input, textarea, select')) return
    // A film has keys of its own for going back and forth.
    if (target instanceof HTMLVideoElement && /^Arrow/.test(event.key)) return
    const deed = named[event.key] ?? placed[event.code]
    if (!deed) return
    event.preventDefault()
    event.stopPropagation()
    deed()
  }

  return { onKey }
}
