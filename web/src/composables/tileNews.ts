import { onUnmounted } from 'vue'
import type { Tile } from '@/api/types'

/** What this page itself did to tiles: every list of them knows at once, and need not wait for the server's event. */
export type TileNews =
  | { kind: 'patched'; ids: string[]; changes: Partial<Tile> }
  | { kind: 'gone'; ids: string[] }
  | { kind: 'stale'; ids: string[] }

type Listener = (news: TileNews) => void

const listeners = new Set<Listener>()

export function tellTiles(news: TileNews): void {
  for (const listener of listeners) listener(news)
}

export function onTileNews(listener: Listener): void {
  listeners.add(listener)
  onUnmounted(() => listeners.delete(listener))
}
