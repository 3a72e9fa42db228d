import { shallowRef } from 'vue'
import { call, client } from '@/api/client'
import type { Backup, Backups } from '@/api/types'
import { usePagedList } from './usePagedList'
import { useStream } from './useStream'

type Standing = Pick<Backups, 'target' | 'last_verified_at' | 'next_due_at'>

/** Backups of the whole installation, for who administers the server. */
export function useBackups() {
  const standing = shallowRef<Standing | null>(null)

  const list = usePagedList<Backup>(
    async (cursor) => {
      const page = await call(client.GET('/api/v1/backups', { params: { query: { cursor } } }))
      standing.value = page
      return page
    },
    (backup) => backup.id,
  )

  async function start(): Promise<void> {
    await call(client.POST('/api/v1/backups'))
  }

  function take(backup: Backup): void {
    list.upsert(backup)
    // When the next is due, and which was the last good one, follows from those that ended.
    if (backup.state !== 'running') void list.refresh()
  }

  useStream({ 'backup.changed': take }, () => void list.refresh())

  return { list, standing, start }
}
