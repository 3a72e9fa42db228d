// Writes src/api/schema.d.ts from openapi.json.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'

const source = JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8'))

// Types are looked up by path and method. Without the ids each operation is written out where it
// belongs, and two that share an id cannot take each other's types.
for (const path of Object.values(source.paths)) {
  for (const operation of Object.values(path)) delete operation.operationId
}

const types = COMMENT_HEADER + astToString(await openapiTS(source))
writeFileSync(new URL('src/api/schema.d.ts', import.meta.url), types)
