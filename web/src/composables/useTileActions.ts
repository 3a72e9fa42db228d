import { useI18n } from 'vue-i18n'
import * as albums from '@/api/albums'
import * as assets from '@/api/assets'
import { toProblem } from '@/api/problem'
import type { Album, BulkChanges, Library, Tile } from '@/api/types'
import { download } from './useDownload'
import { useNotify } from './useNotify'
import { tellTiles } from './tileNews'

/** What people do to photos, wherever they are shown. Each says whether it went through. */
export function useTileActions(library: () => Pick<Library, 'id' | 'name'> | null) {
  const { t } = useI18n()
  const notify = useNotify()

  async function tried(run: () => Promise<void>): Promise<boolean> {
    try {
      await run()
      return true
    } catch (error) {
      notify.failed(toProblem(error))
      return false
    }
  }

  const favourite = (ids: string[], on: boolean) =>
    tried(async () => {
      await assets.edit(ids, { favourite: on })
      tellTiles({ kind: 'patched', ids, changes: { favourite: on } })
    })

  const archive = (ids: string[], on: boolean): Promise<boolean> =>
    tried(async () => {
      await assets.edit(ids, { archived: on })
      tellTiles({ kind: 'patched', ids, changes: { archived: on } })
      const undo = async (): Promise<void> => {
        if (await tried(() => assets.edit(ids, { archived: !on }))) tellTiles({ kind: 'stale', ids })
      }
      notify.undoable(t(on ? 'assets.archived' : 'assets.unarchived', ids.length), t('assets.undo'), () => void undo())
    })

  const trash = (ids: string[]) =>
    tried(async () => {
      await assets.move('trash', ids)
      tellTiles({ kind: 'gone', ids })
      notify.undoable(t('assets.trashed', ids.length), t('assets.undo'), () => void untrash(ids))
    })

  const untrash = (ids: string[]) =>
    tried(async () => {
      await assets.move('restore', ids)
      tellTiles({ kind: 'stale', ids })
    })

  const restore = (ids: string[]) =>
    tried(async () => {
      await assets.move('restore', ids)
      tellTiles({ kind: 'gone', ids })
      notify.done(t('trash.restored', ids.length))
    })

  async function purge(ids: string[]): Promise<void> {
    await assets.move('purge', ids)
    tellTiles({ kind: 'gone', ids })
    notify.done(t('trash.purged', ids.length))
  }

  const save = (ids: string[]) =>
    tried(async () => {
      const its = library()
      if (its) await download(its.id, its.name, ids)
    })

  const addTo = (album: Pick<Album, 'id' | 'name'>, ids: string[]) =>
    tried(async () => {
      await albums.add(album.id, ids)
      notify.done(t('albums.added', { name: album.name }, ids.length))
    })

  /** Throws, for whoever shows the form. */
  async function edit(ids: string[], changes: BulkChanges): Promise<void> {
    await assets.edit(ids, changes)
    const known: Partial<Tile> = {}
    if (typeof changes.favourite === 'boolean') known.favourite = changes.favourite
    if (typeof changes.archived === 'boolean') known.archived = changes.archived
    if (changes.rating !== undefined) known.rating = changes.rating
    if (Object.keys(known).length) tellTiles({ kind: 'patched', ids, changes: known })
    if (changes.taken_at !== undefined || changes.shift_minutes) tellTiles({ kind: 'stale', ids })
    notify.done(t('assets.edited', ids.length))
  }

  return { favourite, archive, trash, restore, purge, save, addTo, edit }
}

export type TileActions = ReturnType<typeof useTileActions>
