import { describe, expect, it, vi } from 'vitest'
import { ApiProblem } from '@/api/problem'
import { pickedFrom } from '@/uploads/files'
import { UploadQueue, type Candidate, type Listener } from '@/uploads/queue'

const candidate = (name: string, size = 10): Candidate => ({
  file: new File(['x'.repeat(size)], name),
  path: name,
  libraryId: 'l1',
  fingerprint: name,
})

/** A queue whose transfers do what the test says. */
function queueOf(...names: string[]) {
  const on = new Map<string, Listener>()
  const said: string[] = []
  const changed = vi.fn()
  const queue = new UploadQueue(
    ({ path }, listener) => {
      on.set(path, listener)
      const say = (word: string) => () => void said.push(`${word} ${path}`)
      return { start: say('start'), stop: say('stop'), forget: say('forget') }
    },
    2,
    changed,
  )
  queue.add(names.map((name) => candidate(name)))
  const states = (): string => queue.items.map(({ path, state }) => `${path} ${state}`).join(', ')
  const id = (name: string): number => queue.items.find(({ path }) => path === name)?.id ?? 0
  return { queue, said, states, id, changed, hear: (name: string) => on.get(name)! }
}

describe('a queue of uploads', () => {
  it('sends a few at a time, in the order they came', () => {
    const { said, states, hear } = queueOf('a', 'b', 'c')
    expect(said).toEqual(['start a', 'start b'])
    hear('a').sending(5)
    expect(states()).toBe('a sending, b checking, c waiting')
    hear('b').done(false)
    expect(said).toEqual(['start a', 'start b', 'start c'])
  })

  it('gives a paused file’s place to the next and goes on with the same transfer', () => {
    const { queue, said, states, hear, id } = queueOf('a', 'b', 'c')
    queue.pause(id('a'))
    expect(states()).toBe('a paused, b checking, c checking')
    hear('a').failed(new ApiProblem('network', 0, ''))
    expect(states()).toContain('a paused')
    queue.resume(id('a'))
    expect(states()).toContain('a waiting')
    hear('b').done(false)
    expect(said).toEqual(['start a', 'start b', 'stop a', 'start c', 'start a'])
  })

  it('pauses and resumes all', () => {
    const { queue, states } = queueOf('a', 'b', 'c')
    queue.pause()
    expect(queue.totals()).toMatchObject({ open: 3, paused: 3 })
    queue.resume()
    expect(states()).toBe('a checking, b checking, c waiting')
  })

  it('counts bytes and files', () => {
    const { queue, hear } = queueOf('a', 'b', 'c')
    hear('a').sending(4)
    hear('b').done(true)
    hear('c').failed(new ApiProblem('quota-exceeded', 507, ''))
    expect(queue.totals()).toEqual({
      files: 3, finished: 1, duplicates: 1, failed: 1, paused: 0, open: 1, bytes: 30, sent: 14,
    })
  })

  it('does not send a file twice that is under way, but again when it is done', () => {
    const { queue, hear } = queueOf('a', 'b')
    expect(queue.add([candidate('a'), candidate('c'), candidate('c')])).toBe(1)
    for (const name of ['a', 'b', 'c']) hear(name).done(false)
    expect(queue.add([candidate('a')])).toBe(1)
    expect(queue.items).toHaveLength(1)
  })

  it('tells the server to forget what is cancelled, and lets finished ones be', () => {
    const { queue, said, hear, id } = queueOf('a', 'b', 'c')
    hear('b').done(false)
    queue.cancel(id('a'))
    hear('a').done(false)
    queue.cancel()
    expect(queue.items).toEqual([])
    expect(said).toEqual(['start a', 'start b', 'start c', 'forget a', 'forget c'])
  })

  it('tries again what failed, all or by its reason', () => {
    const { queue, states, hear } = queueOf('a', 'b')
    hear('a').failed(new ApiProblem('network', 0, ''))
    hear('b').failed(new ApiProblem('upload-too-large', 413, ''))
    queue.retry(undefined, ['network'])
    expect(states()).toBe('a checking, b failed')
    queue.retry()
    expect(states()).toBe('a checking, b checking')
  })

  it('only stops what it abandons: another visit may take it up', () => {
    const { queue, said } = queueOf('a', 'b', 'c')
    queue.abandon()
    expect(said.slice(2)).toEqual(['stop a', 'stop b'])
    expect(queue.items).toEqual([])
  })
})

describe('chosen files', () => {
  it('come without what systems leave in folders', () => {
    const names = ['IMG_1.JPG', '.DS_Store', 'Thumbs.db', '._IMG_1.JPG', 'desktop.ini', 'my.thumbs.db.jpg']
    const picked = pickedFrom(names.map((name) => new File([], name)))
    expect(picked.map(({ path }) => path)).toEqual(['IMG_1.JPG', 'my.thumbs.db.jpg'])
  })
})
