/** The one place where names of the wire format enter the client. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Account = Schemas['AccountView']
export type Session = Schemas['SessionView']
export type LinkInfo = Schemas['LinkView']
export type AccountSession = Schemas['SessionRow']
export type TotpSetup = Schemas['EnrolmentView']
export type ApiKey = Schemas['KeyView']
export type ApiKeyCreate = Schemas['NewKey']
export type ApiKeyCreated = Schemas['CreatedKey']
export type Library = Schemas['LibraryView']
export type Member = Schemas['MemberView']
export type LibraryInvite = Schemas['InviteView']
export type LibraryInviteCreated = Schemas['CreatedInvite']
export type AccountAdmin = Schemas['AccountRow']
export type AccountAdminPatch = Schemas['AccountDecision']
export type AccountInvite = Schemas['Invitation']
export type AccountInviteCreated = Schemas['CreatedInvitation']
export type AuditEntry = Schemas['AuditRow']
export type Job = Schemas['JobView']
export type JobKindSummary = Schemas['KindCounts']
export type Asset = Schemas['AssetView']
export type Upload = Schemas['UploadView']
export type Usage = Schemas['UsageView']
export type Quota = Schemas['Quota']
export type Space = Schemas['SpaceView']
export type SpaceRow = Schemas['SpaceRow']
export type Policies = Schemas['Policies']
export type Policy = Schemas['PolicyView']
export type PolicyLevel = Policy['level']
export type SpacePreview = Schemas['PreviewView']
export type Integrity = Schemas['IntegrityView']
export type Finding = Schemas['FindingView']
export type Backup = Schemas['BackupView']
export type Backups = Schemas['Backups']

export type Role = Member['role']
export type Scope = ApiKey['scopes'][number]
export type JobState = Job['state']
export type Locale = NonNullable<Account['locale']>

export interface Page<T> {
  items: T[]
  next?: string | null
}

export type Tile = Schemas['TileView'] & { original?: string | null }
export type AssetTile = Schemas['AssetTile']
export type AssetDetails = Schemas['AssetDetails']
export type StepView = Schemas['StepView']
export type Changes = Schemas['AssetChange']
export type BulkChanges = Partial<Schemas['ManyChanges']>
export type Buckets = Schemas['Buckets']
export type FilterValue = Schemas['ValueView']
export type Album = Schemas['AlbumView']
export type AlbumChanges = Partial<Schemas['AlbumChange']>
export type AlbumOrder = Album['order']
export type Share = Schemas['ShareView']
export type ShareChanges = Partial<Schemas['ShareFields']>
export type OpenShare = Schemas['OpenedShare']
export type Batch = Schemas['BatchView']

/** What is known of a photo that is looked at: all of it, or what a link shows. */
export type GuestDetails = Tile & Partial<Omit<AssetDetails, keyof Tile>>

export const FILTERS_OF = ['camera', 'lens', 'place', 'country', 'tag', 'uploader', 'batch'] as const
export type FilterOf = (typeof FILTERS_OF)[number]

export type DuplicateGroup = Schemas['GroupView']
export type GroupMember = Schemas['GroupMemberView']
export type Likeness = Schemas['LikenessView']
export type DuplicateKind = DuplicateGroup['kind']
export type DuplicateSummary = Schemas['SummaryView']
export type Resolution = Schemas['ResolutionView']
export type ResolutionRule = Schemas['RuleGiven']
export type Rated = Schemas['RatedView']
export type Quality = Schemas['QualityView']
export type QualityVerdict = Quality['verdicts'][number]
export type QualityAnswer = Schemas['AnswerGiven']['answer']
