import { call, client } from '@/api/client'
import type { ApiKey, ApiKeyCreate, ApiKeyCreated } from '@/api/types'
import { usePagedList } from './usePagedList'

export function useApiKeys() {
  const list = usePagedList<ApiKey>(
    () => call(client.GET('/api/v1/apikeys')),
    (key) => key.id,
  )

  async function create(body: ApiKeyCreate): Promise<ApiKeyCreated> {
    const created = await call(client.POST('/api/v1/apikeys', { body }))
    await list.load()
    return created
  }

  async function revoke(id: string): Promise<void> {
    const params = { path: { key_id: id } }
    await call(client.DELETE('/api/v1/apikeys/{key_id}', { params }))
    list.remove(id)
  }

  return { list, create, revoke }
}
