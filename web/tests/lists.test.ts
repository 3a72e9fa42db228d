import { describe, expect, it, vi } from 'vitest'
import { ApiProblem } from '@/api/problem'
import { useAction } from '@/composables/useAction'
import { usePagedList } from '@/composables/usePagedList'

interface Item {
  id: string
  name?: string
}

describe('a paged list', () => {
  const pages: Record<string, { items: Item[]; next: string | null }> = {
    start: { items: [{ id: '1' }, { id: '2' }], next: 'p2' },
    p2: { items: [{ id: '2', name: 'newer' }, { id: '3' }], next: null },
  }

  it('follows the cursor and never shows an item twice', async () => {
    const list = usePagedList<Item>(async (cursor) => pages[cursor ?? 'start']!, (item) => item.id)
    await list.load()
    expect(list.hasMore.value).toBe(true)
    await list.more()
    expect(list.items.value.map((item) => item.id)).toEqual(['1', '2', '3'])
    expect(list.items.value[1]?.name).toBe('newer')
    expect(list.hasMore.value).toBe(false)
  })

  it('repeats what failed', async () => {
    let broken = false
    const list = usePagedList<Item>(async (cursor) => {
      if (broken) throw new ApiProblem('unexpected', 500, '')
      return pages[cursor ?? 'start']!
    }, (item) => item.id)
    await list.load()
    broken = true
    await list.more()
    expect(list.problem.value?.status).toBe(500)
    expect(list.items.value).toHaveLength(2)
    broken = false
    await list.retry()
    expect(list.problem.value).toBeNull()
    expect(list.items.value).toHaveLength(3)
  })

  it('drops an answer that a newer load has overtaken', async () => {
    const answers: ((name: string) => void)[] = []
    const list = usePagedList<Item>(
      () =>
        new Promise((resolve) => {
          answers.push((id) => resolve({ items: [{ id }], next: null }))
        }),
      (item) => item.id,
    )
    const both = Promise.all([list.load(), list.load()])
    answers[1]?.('new')
    answers[0]?.('old')
    await both
    expect(list.items.value).toEqual([{ id: 'new' }])
    expect(list.loading.value).toBe(false)
  })
})

describe('an action', () => {
  it('does not start again while it is under way', async () => {
    let finish = (): void => {}
    const run = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const { act, pending } = useAction(run)
    const first = act()
    expect(pending.value).toBe(true)
    expect(await act()).toBe(false)
    finish()
    expect(await first).toBe(true)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('keeps its failure to be shown', async () => {
    const { act, problem } = useAction(async () => {
      throw new ApiProblem('conflict', 409, '')
    })
    expect(await act()).toBe(false)
    expect(problem.value?.code).toBe('conflict')
  })
})
