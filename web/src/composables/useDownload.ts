import { call, client } from '@/api/client'

/** As many as one zip may hold. */
export const MOST_IN_ZIP = 10_000

export const originalOf = (assetId: string): string => `/api/v1/assets/${assetId}/original`

/** A link is followed, not fetched: the browser saves as it receives, whatever the size. */
export function follow(address: string): void {
  const link = document.createElement('a')
  link.href = address
  // Without it, leaving the page would be announced, and warned of while files are being sent.
  link.download = ''
  document.body.append(link)
  link.click()
  link.remove()
}

/** Downloads one original as it is, several as one zip that is made while it is sent. */
export async function download(libraryId: string, name: string, ids: string[]): Promise<void> {
  const [only] = ids
  if (only !== undefined && ids.length === 1) return follow(originalOf(only))
  const body = { library_id: libraryId, asset_ids: ids, name }
  const selection = await call(client.POST('/api/v1/selections', { body }))
  follow(selection.zip)
}
