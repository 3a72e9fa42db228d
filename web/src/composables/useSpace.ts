import { computed, ref, shallowRef } from 'vue'
import { call, client } from '@/api/client'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Policies, PolicyLevel, Space, SpacePreview } from '@/api/types'
import { useBundled, useStream } from './useStream'

/** What a library received and what is stored of it; without a library, of all. */
export function useSpace(libraryId: string | null) {
  const space = shallowRef<Space | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)

  async function load(): Promise<void> {
    try {
      space.value = libraryId
        ? await call(client.GET('/api/v1/libraries/{library_id}/space', { params: { path: { library_id: libraryId } } }))
        : await call(client.GET('/api/v1/reports/space'))
      problem.value = null
    } catch (error) {
      problem.value = toProblem(error)
    }
  }

  const again = useBundled(() => void load(), () => 3000)
  useStream({ 'asset.created': again, 'asset.changed': again, 'asset.purged': again }, again)

  return { space, problem, load }
}

/** How a library keeps its originals, and each of its albums that does so in its own way. */
export function usePolicies(libraryId: string) {
  const policies = shallowRef<Policies | null>(null)
  const path = { library_id: libraryId }

  async function load(): Promise<void> {
    policies.value = await call(client.GET('/api/v1/libraries/{library_id}/policies', { params: { path } }))
  }

  /** No level: as whoever is above decides. */
  async function choose(albumId: string | null, level: PolicyLevel | null, understood: boolean): Promise<void> {
    const album = { path: { album_id: albumId ?? '' } }
    if (level) {
      const body = { level, understood, keep_days: 30 }
      await (albumId
        ? call(client.PUT('/api/v1/albums/{album_id}/policy', { params: album, body }))
        : call(client.PUT('/api/v1/libraries/{library_id}/policy', { params: { path }, body })))
    } else {
      await (albumId
        ? call(client.DELETE('/api/v1/albums/{album_id}/policy', { params: album }))
        : call(client.DELETE('/api/v1/libraries/{library_id}/policy', { params: { path } })))
    }
    await load()
  }

  const levelOf = (albumId: string | null): PolicyLevel | null =>
    policies.value?.items.find((item) => item.album_id === albumId)?.level ?? null

  return { policies, load, choose, levelOf }
}

const PAUSE = 1000

/** What each level would save on some files, before one is chosen. */
export function usePreview(libraryId: string) {
  const preview = shallowRef<SpacePreview | null>(null)
  const asking = ref(0)
  const running = computed(() => preview.value !== null && !preview.value.finished_at)

  async function look(previewId: string): Promise<void> {
    const params = { path: { preview_id: previewId } }
    preview.value = await call(client.GET('/api/v1/previews/{preview_id}', { params }))
  }

  async function ask(albumId: string | null): Promise<void> {
    const mine = ++asking.value
    const params = { path: { library_id: libraryId } }
    preview.value = await call(
      client.POST('/api/v1/libraries/{library_id}/previews', { params, body: { album_id: albumId } }),
    )
    while (running.value && mine === asking.value) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
      if (mine !== asking.value || !preview.value) return
      await look(preview.value.id)
    }
  }

  /** Forget what was tried: it was about something else. */
  function drop(): void {
    asking.value++
    preview.value = null
  }

  return { preview, running, ask, drop }
}
