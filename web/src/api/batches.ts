import { ask } from './ask'
import type { Batch } from './types'

export const create = (library_id: string, name: string): Promise<Batch> => ask('POST', '/batches', { body: { library_id, name } })
export const one = (id: string): Promise<Batch> => ask('GET', `/batches/${id}`)
