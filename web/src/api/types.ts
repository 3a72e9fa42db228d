/** The one place where names of the wire format enter the client. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Account = Schemas['Account']
export type Session = Schemas['Session']
export type LinkInfo = Schemas['LinkInfo']
export type AccountSession = Schemas['AccountSession']
export type TotpSetup = Schemas['TotpSetup']
export type ApiKey = Schemas['ApiKey']
export type ApiKeyCreate = Schemas['ApiKeyCreate']
export type ApiKeyCreated = Schemas['ApiKeyCreated']
export type Library = Schemas['Library']
export type Member = Schemas['Member']
export type LibraryInvite = Schemas['LibraryInvite']
export type LibraryInviteCreated = Schemas['LibraryInviteCreated']
export type AccountAdmin = Schemas['AccountAdmin']
export type AccountAdminPatch = Schemas['AccountAdminPatch']
export type AccountInvite = Schemas['AccountInvite']
export type AuditEntry = Schemas['AuditEntry']
export type Job = Schemas['Job']
export type JobKindSummary = Schemas['JobKindSummary']

export type Role = Member['role']
export type Scope = ApiKey['scopes'][number]
export type JobState = Job['state']
export type Locale = NonNullable<Account['locale']>

export interface Page<T> {
  items: T[]
  next?: string | null
}
