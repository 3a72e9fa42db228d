/** RFC 9457 problem documents, and everything else that can go wrong with a request. */

export interface FieldProblem {
  pointer: string
  detail: string
}

export class ApiProblem extends Error {
  constructor(
    /** Last segment of the problem's type, or `network` / `unexpected`. */
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly requestId: string | null = null,
    readonly fields: FieldProblem[] = [],
    readonly retryAfter: number | null = null,
    /** Numbers the document brings along, such as how much room a quota leaves. */
    readonly figures: Record<string, number> = {},
  ) {
    super(detail || code)
    this.name = 'ApiProblem'
  }
}

type Loose = Record<string, unknown>

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function readFields(value: unknown): FieldProblem[] {
  if (!Array.isArray(value)) return []
  return value
    .filter(isObject)
    .map((field) => ({ pointer: text(field.pointer), detail: text(field.detail) }))
}

function readFigures(body: Loose): Record<string, number> {
  const numbers = Object.entries(body).filter((pair): pair is [string, number] => typeof pair[1] === 'number')
  return Object.fromEntries(numbers)
}

export function problemFromBody(body: unknown, status: number): ApiProblem {
  // A proxy in between may answer with HTML: only a problem document has a type.
  if (!isObject(body) || !text(body.type)) return new ApiProblem('unexpected', status, '')
  const code = text(body.type).split('/').pop() || 'unexpected'
  const retryAfter = typeof body.retry_after === 'number' ? body.retry_after : null
  const requestId = text(body.request_id) || null
  return new ApiProblem(
    code,
    status,
    text(body.detail) || text(body.title),
    requestId,
    readFields(body.errors),
    retryAfter,
    readFigures(body),
  )
}

export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  // fetch rejects with a TypeError when no answer came at all.
  if (error instanceof TypeError) return new ApiProblem('network', 0, error.message)
  return new ApiProblem('unexpected', 0, error instanceof Error ? error.message : String(error))
}

export const hasCode = (error: unknown, code: string): boolean =>
  error instanceof ApiProblem && error.code === code
