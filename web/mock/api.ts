import type { IncomingMessage, ServerResponse } from 'node:http'
import { library, picture, thumbhash, type Mock } from './library'

type Json = Record<string, unknown>
type Route = [RegExp, string, (match: string[], url: URL, body: Json) => unknown]

const account = {
  id: 'a1', email: 'anna@example.org', name: 'Anna', is_admin: false, locale: null, totp_enabled: false, created_at: '2026-01-01T00:00:00Z',
}
const home = { id: 'l1', name: 'Family', role: 'owner', created_at: '2026-01-01T00:00:00Z', members: 1 }

/** Enough of the service for every page to be looked at without it. */
export function mockApi(count: number) {
  const photos = library(count)
  const byId = new Map(photos.map((photo) => [photo.id, photo]))
  const kept = (): Mock[] => photos.filter(({ trashed }) => !trashed)
  let signedIn = true

  const tile = (photo: Mock) => ({
    ...photo,
    taken_offset: 180,
    thumbhash: thumbhash(photo),
    thumb: photo.problem ? null : `/api/v1/assets/${photo.id}/renditions/thumb`,
    preview: photo.problem ? null : `/api/v1/assets/${photo.id}/renditions/preview`,
    clip: null,
    video: null,
    motion: null,
  })

  function wanted(url: URL): Mock[] {
    const query = url.searchParams
    const month = query.get('bucket')?.slice(0, 7)
    return kept().filter(
      (photo) =>
        (!month || photo.taken_at.startsWith(month)) &&
        photo.archived === (query.get('archived') === 'true') &&
        (!query.get('kind') || photo.kind === query.get('kind')) &&
        (!query.get('favourite') || photo.favourite) &&
        (!query.get('problem') || photo.problem) &&
        (!query.get('camera') || photo.camera === query.get('camera')) &&
        (!query.get('from') || photo.taken_at >= (query.get('from') ?? '')) &&
        (!query.get('to') || photo.taken_at.slice(0, 10) <= (query.get('to') ?? '')),
    )
  }

  function paged(all: Mock[], url: URL, more: (photo: Mock) => Json = () => ({})): Json {
    const from = Number(url.searchParams.get('cursor') ?? 0)
    const limit = Number(url.searchParams.get('limit') ?? 200)
    const next = from + limit < all.length ? String(from + limit) : null
    return { items: all.slice(from, from + limit).map((photo) => ({ ...tile(photo), ...more(photo) })), next }
  }

  const albums = ['Karelia by boat', 'Бабушкин сад', 'Lisbon, spring', 'First year of school'].map((name, nth) => ({
    id: `al${nth}`, library_id: 'l1', name, description: nth ? null : 'Two weeks on Ladoga, and most of the rain of that summer.', cover_id: null as string | null,
    order: 'oldest', created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', ids: photos.slice(nth * 90 + 20, nth * 90 + 60 + nth * 13).map(({ id }) => id),
  }))
  type MockAlbum = (typeof albums)[number]
  const albumOf = (id: string | undefined): MockAlbum => albums.find((album) => album.id === id) ?? albums[0]!
  const shownAlbum = ({ ids, ...album }: MockAlbum) => {
    const days = ids.map((id) => byId.get(id)?.taken_at ?? '').sort()
    const cover = album.cover_id ?? ids[0]
    return { ...album, count: ids.length, from: days[0] ?? null, to: days.at(-1) ?? null, cover: cover ? `/api/v1/assets/${cover}/renditions/thumb` : null }
  }
  const inAlbum = (album: MockAlbum): Mock[] => album.ids.flatMap((id) => byId.get(id) ?? [])
  const shares: Json[] = [
    { id: 's1', album_id: 'al0', note: 'Grandparents', password: true, expires_at: '2027-01-01T00:00:00Z', downloads: true, uploads: true, metadata: true,
      address: 'http://localhost/s#b3BlbiBzZXNhbWU', views: 12, last_seen_at: '2026-11-20T10:00:00Z', created_at: '2026-11-01T10:00:00Z' },
  ]

  const details = (photo: Mock): Json => ({
    ...tile(photo), library_id: 'l1', media_type: photo.kind === 'video' ? 'video/quicktime' : 'image/jpeg', size: 5_400_000, created_at: photo.updated_at,
    trashed_at: null, names: [photo.name, `copy of ${photo.name}`], title: null, description: null, camera: photo.camera, lens: 'RF24-105mm F4 L IS USM',
    latitude: 61.70181, longitude: 30.68954, taken_from: 'exif', sent_at: null, corrected: ['rating'], shown_with: null, part: null,
    place: { id: 1, name: 'Sortavala', name_ru: 'Сортавала', country: 'RU', country_name: 'Russia', country_name_ru: 'Россия' },
    metadata: { exposure: { aperture: 5.6, time: '1/250', iso: 100, focal_mm: 35 } },
    steps: photo.problem ? [{ name: 'render', state: 'failed', verdict: photo.problem, detail: 'both decoders stop at row 812', updated_at: photo.updated_at }]
      : photo.kind === 'video' ? [{ name: 'play', state: 'waiting', verdict: null, detail: null, updated_at: photo.updated_at }] : [],
    shown_parts: photo.parts.map((part) => ({ id: photo.id, part, name: photo.name.replace('JPG', part === 'raw' ? 'CR3' : 'MOV'), media_type: 'x', size: 31_000_000 })),
    albums: [{ id: 'al0', name: 'Karelia by boat' }], tags: ['lake', 'summer', 'boat'].map((name) => ({ id: name, name, source: 'user' })), uploader: { id: 'a1', name: 'Anna' },
  })

  const change = (ids: string[], to: Json): Json => {
    for (const id of ids) Object.assign(byId.get(id) ?? {}, to)
    return { count: ids.length }
  }

  const routes: Route[] = [
    [/^\/session$/, 'GET', () => (signedIn ? { account, csrf_token: 'x', expires_at: '2030-01-01T00:00:00Z' } : null)],
    [/^\/libraries$/, 'GET', () => ({ items: [home], next: null })],
    [/^\/timeline\/buckets$/, 'GET', (_, url) => {
      const counts = new Map<string, number>()
      for (const { taken_at } of wanted(url)) counts.set(`${taken_at.slice(0, 7)}-01`, (counts.get(`${taken_at.slice(0, 7)}-01`) ?? 0) + 1)
      const items = [...counts].map(([bucket, n]) => ({ bucket, count: n }))
      return { by: 'month', total: items.reduce((sum, item) => sum + item.count, 0), items }
    }],
    [/^\/timeline\/assets$/, 'GET', (_, url) => paged(wanted(url), url)],
    [/^\/timeline\/values$/, 'GET', (_, url) => {
      if (url.searchParams.get('of') !== 'camera') return { items: [] }
      return { items: [...new Set(photos.map(({ camera }) => camera))].map((value) => ({ value, label: value, label_ru: null, count: 100 })) }
    }],
    [/^\/assets$/, 'GET', (_, url) => paged(photos.filter(({ trashed }) => trashed), url, () => ({ trashed_at: '2026-11-20T00:00:00Z', library_id: 'l1', media_type: 'image/jpeg', size: 1, created_at: '2026-11-20T00:00:00Z' }))],
    [/^\/assets\/edit$/, 'POST', (_, __, body) => change(body.ids as string[], body.changes as Json)],
    [/^\/assets\/(trash|restore)$/, 'POST', ([, to], __, body) => change(body.ids as string[], { trashed: to === 'trash' }) && { items: [] }],
    [/^\/assets\/(\w+)$/, 'GET', ([, id]) => (byId.has(id ?? '') ? details(byId.get(id ?? '')!) : null)],
    [/^\/assets\/(\w+)$/, 'PATCH', ([, id], __, body) => change([id ?? ''], body) && { ...details(byId.get(id ?? '')!), ...body, corrected: Object.keys(body), tags: [] }],
    [/^\/albums$/, 'GET', () => ({ items: albums.map(shownAlbum), next: null })],
    [/^\/albums$/, 'POST', (_, __, body) => {
      albums.unshift({ ...albums[0]!, id: `al${albums.length}`, name: String(body.name), description: null, ids: [] })
      return shownAlbum(albums[0]!)
    }],
    [/^\/albums\/(\w+)$/, 'GET', ([, id]) => shownAlbum(albumOf(id))],
    [/^\/albums\/(\w+)$/, 'PATCH', ([, id], __, body) => shownAlbum(Object.assign(albumOf(id), body))],
    [/^\/albums\/(\w+)\/assets$/, 'GET', ([, id], url) => paged(inAlbum(albumOf(id)), url)],
    [/^\/albums\/(\w+)\/(add|remove)$/, 'POST', ([, id, what], __, body) => {
      const ids = body.ids as string[]
      const album = albumOf(id)
      album.ids = what === 'add' ? [...new Set([...album.ids, ...ids])] : album.ids.filter((one) => !ids.includes(one))
      return { count: ids.length }
    }],
    [/^\/albums\/(\w+)\/move$/, 'POST', ([, id], __, body) => {
      const album = albumOf(id)
      const rest = album.ids.filter((one) => !(body.ids as string[]).includes(one))
      const at = body.before ? rest.indexOf(String(body.before)) : rest.length
      album.ids = [...rest.slice(0, at), ...(body.ids as string[]), ...rest.slice(at)]
      album.order = 'manual'
      return {}
    }],
    [/^\/albums\/(\w+)\/shares$/, 'GET', () => ({ items: shares })],
    [/^\/albums\/(\w+)\/shares$/, 'POST', (_, __, body) => {
      const { password, ...rest } = body
      shares.unshift({ ...shares[0], views: 0, last_seen_at: null, ...rest, id: `s${shares.length + 1}`, password: !!password })
      return shares[0]
    }],
    [/^\/shares\/open$/, 'POST', (_, __, body) =>
      body.password || body.token === 'open'
        ? { share_id: 's1', pass: 'p', expires_at: '2030-01-01T00:00:00Z', album: shownAlbum(albums[0]!), downloads: true, uploads: true, metadata: true }
        : undefined],
    [/^\/shares\/(\w+)\/assets$/, 'GET', (_, url) => paged(inAlbum(albums[0]!), url, ({ id }) => ({ original: `/api/v1/assets/${id}/original` }))],
    [/^\/shares\/(\w+)\/assets\/(\w+)$/, 'GET', ([, , id]) => details(byId.get(id ?? '')!)],
  ]

  return async (request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (!url.pathname.startsWith('/api/v1/')) return next()
    const path = url.pathname.slice('/api/v1'.length)
    const drawn = /^\/assets\/(\w+)\/(renditions\/\w+|original)$/.exec(path)
    if (drawn) {
      response.setHeader('Content-Type', 'image/svg+xml')
      response.setHeader('Cache-Control', 'max-age=3600')
      response.end(picture(byId.get(drawn[1] ?? '') ?? photos[0]!, drawn[2] === 'renditions/thumb' ? 250 : 1000))
      return
    }
    if (path === '/stream') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': here\n\n')
      return
    }
    if (path === '/session' && request.method === 'DELETE') signedIn = false
    let written = ''
    for await (const piece of request) written += String(piece)
    const body = (written ? JSON.parse(written) : {}) as Json
    for (const [pattern, method, answer] of routes) {
      const match = pattern.exec(path)
      if (!match || method !== request.method) continue
      const answered = answer([...match], url, body)
      const lacking = answered === null ? [404, 'not-found'] : answered === undefined ? [401, 'share-password-required'] : null
      if (path === '/session' && answered === null) lacking?.splice(0, 2, 401, 'not-signed-in')
      response.writeHead(lacking ? Number(lacking[0]) : 200, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(lacking ? { type: `/problems/${lacking[1]}`, title: '', status: lacking[0] } : answered))
      return
    }
    response.writeHead(404, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ type: '/problems/not-found', title: '', status: 404 }))
  }
}
