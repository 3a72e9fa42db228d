import type { Share, ShareChanges } from '@/api/types'

/** A moment as a field for date and time writes it: in the reader's own zone. */
function fieldOf(moment: string | null): string {
  if (!moment) return ''
  const date = new Date(moment)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export const formOf = (share: Share | null) => ({
  note: share?.note ?? '',
  until: fieldOf(share?.expires_at ?? null),
  downloads: share?.downloads ?? true,
  uploads: share?.uploads ?? false,
  metadata: share?.metadata ?? true,
  locked: share?.password ?? false,
  password: '',
})

/** A password that is left empty stays what it was; one that is no longer wanted goes. */
export function changesOf(form: ReturnType<typeof formOf>): ShareChanges {
  const { downloads, uploads, metadata } = form
  const changes: ShareChanges = {
    note: form.note.trim() || null,
    expires_at: form.until ? new Date(form.until).toISOString() : null,
    downloads,
    uploads,
    metadata,
  }
  if (!form.locked) changes.password = null
  else if (form.password) changes.password = form.password
  return changes
}
