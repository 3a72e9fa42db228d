import { computed, shallowRef } from 'vue'
import * as api from '@/api/albums'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Album, AlbumChanges } from '@/api/types'
import { useBundled, useStream } from './useStream'
import { useTileSource } from './useTileSource'
import { useTouched } from './useTimeline'

/** One album and what is in it. */
export function useAlbum(id: string) {
  const album = shallowRef<Album | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)

  async function look(): Promise<Album> {
    const found = await api.one(id)
    album.value = found
    return found
  }

  const source = useTileSource({
    heads: async () => {
      const { count } = await look()
      return count ? [{ key: '', count }] : []
    },
    page: (_key, cursor) => api.tiles(id, cursor),
  })

  async function load(): Promise<void> {
    try {
      await look()
      await source.load()
    } catch (error) {
      problem.value = toProblem(error)
    }
  }

  async function change(changes: AlbumChanges): Promise<void> {
    album.value = await api.change(id, changes)
    if (changes.order) await source.refresh('all')
  }

  async function reorder(ids: string[], before: string | null): Promise<void> {
    // Shown at once: it was put there by hand.
    const section = source.sections.value[0]
    if (section) {
      const moved = new Set(ids)
      const rest = section.tiles.filter((tile) => !moved.has(tile.id))
      const at = before ? rest.findIndex((tile) => tile.id === before) : rest.length
      const taken = section.tiles.filter((tile) => moved.has(tile.id))
      source.arrange([...rest.slice(0, at), ...taken, ...rest.slice(at)])
    }
    try {
      await api.reorder(id, ids, before)
      if (album.value) album.value = { ...album.value, order: 'manual' }
    } catch (error) {
      await source.refresh('all')
      throw error
    }
  }

  async function take(ids: string[]): Promise<void> {
    await api.take(id, ids)
    source.change(ids, () => null)
    await look()
  }

  const touch = useTouched((touched) => void source.refresh(touched), () => 1200)
  const again = useBundled(() => void source.refresh('all'), () => 1200)
  const mine = (run: () => void) => (event: { id?: string }): void => {
    if (event.id === id) run()
  }
  useStream(
    {
      'asset.changed': (event: { id?: string; ids?: string[] }) => {
        if ((event.ids ?? [event.id ?? '']).some(source.knows)) touch(event)
      },
      'asset.trashed': again,
      'asset.restored': again,
      'album.changed': mine(again),
      'album.deleted': mine(() => (problem.value = toProblem(new Error('deleted')))),
    },
    again,
  )

  return { album: computed(() => album.value), problem, source, load, change, reorder, take, remove: () => api.remove(id) }
}
