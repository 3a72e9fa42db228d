export type FileFamily = 'image' | 'raw' | 'video' | 'other'

const RAW = new Set([
  '3fr', 'arw', 'cr2', 'cr3', 'crw', 'dng', 'erf', 'iiq', 'kdc', 'mef', 'mos', 'mrw', 'nef', 'nrw', 'orf', 'pef', 'raf',
  'raw', 'rw2', 'rwl', 'sr2', 'srf', 'srw', 'x3f',
])
const LONGEST = 4

/** What can be told of a file before anybody has looked into it. */
export function fileType(name: string, mediaType = ''): { family: FileFamily; label: string } {
  const extension = /\.([\p{L}\p{N}]+)$/u.exec(name)?.[1]?.toLowerCase() ?? ''
  const said = mediaType.split('/')
  const label = (extension && extension.length <= LONGEST ? extension : '').toUpperCase()
  if (RAW.has(extension)) return { family: 'raw', label }
  const family = said[0] === 'image' || said[0] === 'video' ? said[0] : 'other'
  return { family, label }
}
