import { ask } from './ask'
import type {
  DuplicateGroup,
  DuplicateKind,
  DuplicateSummary,
  Page,
  Quality,
  QualityAnswer,
  QualityVerdict,
  Rated,
  Resolution,
  ResolutionRule,
} from './types'

export interface Choice {
  group: string
  version: string
  keep?: string[]
}

const PAGE = 20

export const groups = (library: string, kind: DuplicateKind, cursor?: string): Promise<Page<DuplicateGroup>> =>
  ask('GET', '/duplicates', { query: { library, kind, cursor, limit: PAGE } })
export const summary = (library: string): Promise<DuplicateSummary> => ask('GET', '/duplicates/summary', { query: { library } })
export async function groupsOf(asset: string): Promise<DuplicateGroup[]> {
  return (await ask<{ items: DuplicateGroup[] }>('GET', `/assets/${asset}/duplicates`)).items
}
export const different = (group: string, ids: string[] = []): Promise<{ ids: string[] }> =>
  ask('POST', `/duplicates/${group}/different`, { body: { ids } })
export const alike = (ids: string[]): Promise<void> => ask('POST', '/duplicates/alike', { body: { ids } })

export const resolve = (library: string, chosen: Choice[]): Promise<Resolution> =>
  ask('POST', '/resolutions', { body: { library, groups: chosen } })
export const apply = (library: string, rule: Partial<ResolutionRule>, dry_run: boolean): Promise<Resolution> =>
  ask('POST', '/resolutions', { body: { library, rule, dry_run } })
export const resolution = (id: string): Promise<Resolution> => ask('GET', `/resolutions/${id}`)
export const resolutions = (library: string, cursor?: string): Promise<Page<Resolution>> =>
  ask('GET', '/resolutions', { query: { library, cursor } })
export const undo = (id: string): Promise<{ restored: number }> => ask('POST', `/resolutions/${id}/undo`)

export const asked = (library: string, verdict: QualityVerdict | null, cursor?: string): Promise<Page<Rated>> =>
  ask('GET', '/quality/queue', { query: { library, verdict, cursor } })
export const best = (library: string, album: string | null, cursor?: string): Promise<Page<Rated>> =>
  ask('GET', '/quality/best', { query: { library, album, cursor } })
export async function counts(library: string): Promise<Partial<Record<QualityVerdict, number>>> {
  return (await ask<{ counts: Partial<Record<QualityVerdict, number>> }>('GET', '/quality/counts', { query: { library } })).counts
}
export const answer = (ids: string[], given: QualityAnswer): Promise<{ count: number }> =>
  ask('POST', '/quality/answers', { body: { ids, answer: given } })
export const quality = (asset: string): Promise<Quality> => ask('GET', `/assets/${asset}/quality`)
