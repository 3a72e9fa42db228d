import { ask } from './ask'
import type { GuestDetails, OpenShare, Page, Tile } from './types'

/** What a guest may ask for, with the pass that opening the link gave. */
export const open = (token: string, password?: string): Promise<OpenShare> => ask('POST', '/shares/open', { body: { token, password } })

export const tiles = ({ share_id, pass }: OpenShare, cursor?: string): Promise<Page<Tile>> =>
  ask('GET', `/shares/${share_id}/assets`, { query: { cursor, limit: 500 }, pass })

export const details = ({ share_id, pass }: OpenShare, asset: string): Promise<GuestDetails> =>
  ask('GET', `/shares/${share_id}/assets/${asset}`, { pass })

/** Of all that the link shows. */
export const zip = ({ share_id, pass }: OpenShare): Promise<{ zip: string }> => ask('POST', `/shares/${share_id}/zip`, { pass })
