import { ref, shallowRef } from 'vue'
import * as api from '@/api/albums'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Album } from '@/api/types'
import { useBundled, useStream } from './useStream'

/** A library's albums; follows what happens to them. */
export function useAlbums(library: () => string | undefined) {
  const albums = shallowRef<Album[]>([])
  const loaded = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)
  let round = 0

  async function load(): Promise<void> {
    const id = library()
    const mine = ++round
    if (!id) return
    try {
      const found = await api.all(id)
      if (mine !== round) return
      albums.value = found
      loaded.value = true
      problem.value = null
    } catch (error) {
      if (mine === round && !loaded.value) problem.value = toProblem(error)
    }
  }

  async function create(name: string): Promise<Album> {
    const made = await api.create(library() ?? '', name)
    albums.value = [made, ...albums.value]
    return made
  }

  const again = useBundled(() => void load(), () => 1500)
  useStream({ 'album.created': again, 'album.changed': again, 'album.deleted': again, 'asset.trashed': again }, again)

  return { albums, loaded, problem, load, create }
}
