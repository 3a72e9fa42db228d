import { ask, type Query } from './ask'
import type { Buckets, FilterOf, FilterValue, Page, Tile } from './types'

export const buckets = (query: Query): Promise<Buckets> => ask('GET', '/timeline/buckets', { query: { ...query, by: 'month' } })

export const tiles = (query: Query): Promise<Page<Tile>> => ask('GET', '/timeline/assets', { query: { ...query, by: 'month' } })

export async function values(library: string, of: FilterOf): Promise<FilterValue[]> {
  return (await ask<{ items: FilterValue[] }>('GET', '/timeline/values', { query: { library, of } })).items
}
