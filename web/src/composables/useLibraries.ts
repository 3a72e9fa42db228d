import { computed, ref, shallowRef, watch } from 'vue'
import { call, client } from '@/api/client'
import { toProblem, type ApiProblem } from '@/api/problem'
import type { Library } from '@/api/types'
import { remember, remembered } from './storage'
import { useSession } from './useSession'

const PAGE = 200

const libraries = shallowRef<Library[]>([])
const loaded = ref(false)
const problem = shallowRef<ApiProblem | null>(null)
const chosenId = ref(remembered('library'))
let loading: Promise<void> | null = null

const current = computed(
  () => libraries.value.find(({ id }) => id === chosenId.value) ?? libraries.value[0] ?? null,
)

/** All of them: the switcher and the library page show the same list. */
async function load(): Promise<void> {
  problem.value = null
  try {
    const all: Library[] = []
    let cursor: string | undefined
    do {
      const query = { cursor, limit: PAGE }
      const page = await call(client.GET('/api/v1/libraries', { params: { query } }))
      all.push(...page.items)
      cursor = page.next ?? undefined
    } while (cursor)
    libraries.value = all
    loaded.value = true
  } catch (error) {
    problem.value = toProblem(error)
  } finally {
    loading = null
  }
}

const reload = (): Promise<void> => (loading ??= load())

function choose(id: string): void {
  chosenId.value = id
  remember('library', id)
}

function put(library: Library): void {
  const known = libraries.value.some(({ id }) => id === library.id)
  libraries.value = known
    ? libraries.value.map((other) => (other.id === library.id ? library : other))
    : [...libraries.value, library]
}

async function create(name: string): Promise<Library> {
  const library = await call(client.POST('/api/v1/libraries', { body: { name } }))
  put(library)
  return library
}

async function rename(id: string, name: string): Promise<void> {
  const path = { library_id: id }
  put(await call(client.PATCH('/api/v1/libraries/{library_id}', { params: { path }, body: { name } })))
}

async function remove(id: string): Promise<void> {
  const path = { library_id: id }
  await call(client.DELETE('/api/v1/libraries/{library_id}', { params: { path } }))
  libraries.value = libraries.value.filter((library) => library.id !== id)
}

/** Follows the session: another person's libraries must never show through. */
export function startLibraries(): void {
  const { account } = useSession()
  watch(
    () => account.value?.id,
    (id) => {
      libraries.value = []
      loaded.value = false
      if (id) void reload()
    },
    { immediate: true },
  )
}

export function useLibraries() {
  return { libraries, current, loaded, problem, reload, choose, put, create, rename, remove }
}
