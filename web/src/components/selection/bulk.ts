import type { BulkChanges } from '@/api/types'

export const emptyForm = () => ({
  when: 'keep' as 'keep' | 'shift' | 'set' | 'file',
  takenAt: '',
  shift: '',
  rates: false,
  rating: null as number | null,
  describes: false,
  description: '',
  addTags: '',
  removeTags: '',
})

type Form = ReturnType<typeof emptyForm>

const PATTERN = '[+\\-−]?\\d{1,5}(:[0-5]\\d)?'

/** "-1:30" are ninety minutes back, "2" two hours on. */
export function minutesOf(written: string): number | null {
  if (!new RegExp(`^${PATTERN}$`).test(written.trim())) return null
  const [hours = '0', minutes = '0'] = written.trim().replace(/^[+\-−]/, '').split(':')
  const sum = Number(hours) * 60 + Number(minutes)
  return /^[-−]/.test(written.trim()) ? -sum : sum
}
minutesOf.pattern = PATTERN

export const tagsOf = (written: string): string[] => [
  ...new Set(written.split(',').map((tag) => tag.trim()).filter(Boolean)),
]

/** Only what was asked for. */
export function changesOf(form: Form): BulkChanges {
  const changes: BulkChanges = {}
  if (form.when === 'set' && form.takenAt) changes.taken_at = form.takenAt
  if (form.when === 'file') changes.taken_at = null
  if (form.when === 'shift' && minutesOf(form.shift)) changes.shift_minutes = minutesOf(form.shift) ?? 0
  if (form.rates) changes.rating = form.rating ?? 0
  if (form.describes) changes.description = form.description.trim() || null
  if (tagsOf(form.addTags).length) changes.add_tags = tagsOf(form.addTags)
  if (tagsOf(form.removeTags).length) changes.remove_tags = tagsOf(form.removeTags)
  return changes
}
