import { describe, expect, it } from 'vitest'
import { fileType } from '@/components/assets/fileType'
import { bytesOf, gigabytesOf } from '@/composables/quota'
import { formatBytes } from '@/composables/useFormat'
import { usePagedList } from '@/composables/usePagedList'
import { problemFromBody } from '@/api/problem'

describe('sizes', () => {
  it.each([
    [0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1 kB'], [1234, '1.2 kB'], [999_949, '1 MB'],
    [12_345_678, '12.3 MB'], [123_456_789, '123 MB'], [1.5e9, '1.5 GB'], [2e12, '2 TB'],
  ])('%d are %s', (bytes, text) => expect(formatBytes(bytes, 'en')).toBe(text))

  it('are written as Russian writes them', () => {
    expect(formatBytes(12_345_678, 'ru').replace(/\s/g, ' ')).toBe('12,3 МБ')
  })
})

describe('a limit in gigabytes', () => {
  it.each([
    ['', null], ['250', 250e9], [' 1,5 ', 1.5e9], ['0.25', 0.25e9], ['1 000', 1e12], ['many', undefined], ['-1', undefined],
  ])('"%s" is %s', (written, bytes) => expect(bytesOf(written)).toBe(bytes))

  it('comes back as it was written', () => {
    expect(gigabytesOf(1.5e9, 'ru')).toBe('1,5')
    expect(gigabytesOf(null, 'ru')).toBe('')
  })
})

describe('a file’s type', () => {
  it.each([
    ['IMG_1.JPG', 'image/jpeg', 'image', 'JPG'], ['a.cr3', '', 'raw', 'CR3'], ['clip.mov', 'video/quicktime', 'video', 'MOV'],
    ['notes', '', 'other', ''], ['a.reallylong', 'image/x', 'image', ''],
  ])('%s (%s) is %s', (name, media, family, label) => expect(fileType(name, media)).toEqual({ family, label }))
})

describe('a list that is fetched afresh', () => {
  it('keeps as much as was shown', async () => {
    let all = ['d', 'c', 'b', 'a']
    const list = usePagedList<{ id: string }>(async (cursor) => {
      const from = Number(cursor ?? 0)
      return { items: all.slice(from, from + 2).map((id) => ({ id })), next: from + 2 < all.length ? String(from + 2) : null }
    }, (item) => item.id)
    await list.load()
    await list.more()
    all = ['e', ...all]
    await list.refresh()
    expect(list.items.value.map(({ id }) => id)).toEqual(['e', 'd', 'c', 'b'])
    expect(list.hasMore.value).toBe(true)
  })

  it('keeps what is shown when it fails', async () => {
    let broken = false
    const list = usePagedList<{ id: string }>(async () => {
      if (broken) throw new TypeError('away')
      return { items: [{ id: 'a' }] }
    }, (item) => item.id)
    await list.load()
    broken = true
    await list.refresh()
    expect(list.items.value).toHaveLength(1)
    expect(list.problem.value).toBeNull()
  })
})

describe('a full library', () => {
  it('says what is missing', () => {
    const body = { type: '/api/v1/problems/quota-exceeded', title: '', status: 507, wanted: 5, used: 9, reserved: 0, quota: 10 }
    expect(problemFromBody(body, 507).figures).toMatchObject({ wanted: 5, quota: 10, used: 9 })
  })
})
