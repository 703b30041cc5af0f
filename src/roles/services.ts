import type {
  ClientSettings,
  DamagedRange,
  Event,
  NetworkId,
  NodeId,
  NodeRole,
  PeerId,
  Rates,
  SeedGoals,
  Stream,
} from '../events/index.ts'

export { HITS_DEFAULT, HITS_MAX } from '../projections/keyword-index/hits.ts'

// What a running node can be asked, by role: the control socket carries exactly these calls, the REPL makes them
// directly. Parameters and results are plain JSON (bytes as base64 text, times as ms since 1970). A call that takes
// long is an async generator: it yields progress and returns the result.

/** A long call: `yield` is progress, `return` the result; closing it early stops the work. */
export type Progressive<P, R> = AsyncGenerator<P, R, void>

/** A failure an operator can read: a sentence, and a code to match on. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ServiceErrorCode
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
/** `usage`: the caller's words are wrong. `failed`: they were right and it did not work. `damaged`: the log is. */
export type ServiceErrorCode = 'usage' | 'failed' | 'damaged'

// --- any role

export type NodeStatus = {
  id: NodeId
  role: NodeRole
  version: string
  pid: number
  dataDirectory: string
  /** `genesis` in hex; `invitation` is null for a client of an open network. */
  network: { id: NetworkId; name: string; open: boolean; genesis: string; invitation: OwnInvitation | null }
  /** Who was not let in or was put out, the latest first. */
  heldOff: HeldOffRow[]
  startedAt: number
  incarnation: number
  /** True once the node can be reached and answers; until then `waitingFor` says what for. */
  ready: boolean
  waitingFor: string | null
  endpoint: { host: string; port: number } | null
  mainlineDht: { port: number; nodes: number } | null
  torrentPort: number | null
  bootstrap: string[]
  links: number
  /** `damage`: what a look at its files has found since the start, sentences. */
  log: { head: number; lamport: number; damage: string[] }
  gossip: {
    eventsIn: number
    eventsOut: number
    /** Over the last ten seconds or so. */
    eventsInPerSecond: number
    eventsOutPerSecond: number
    duplicates: number
    rejected: number
    heldBack: number
    /** Offences of peers. */
    quarantined: number
    /** Neighbours to which events are pushed, and those that are told their names. */
    eager: number
    lazy: number
    /** Names of events that wait for neighbours. */
    backlog: number
  }
  /** Where metrics are served. */
  metrics: { host: string; port: number } | null
  projections: { name: string; version: number; checkpoint: number }[]
  members: { alive: number; suspect: number; dead: number; left: number }
  memoryBytes: number
}

export type OwnInvitation = { key: NodeId; name: string; role: 'member' | 'client'; expiresAt: number | null }
export type HeldOffRow = { peer: NodeId; why: string; times: number; lastAt: number }

export type AdmittedRow = {
  node: NodeId
  role: 'member' | 'client'
  /** Key of the invitation that admitted it, and whom that was made for. */
  invitation: NodeId
  invitedAs: string
  /** ms since 1970, by the node's own word. */
  since: number
  expiresAt: number | null
  /** `used`: its invitation admits fewer nodes than have shown it, and this one is not among the first. */
  state: 'admitted' | 'expired' | 'revoked' | 'used'
}
export type NetworkView = {
  id: NetworkId
  name: string
  owner: NodeId
  open: boolean
  createdAt: number
  admitted: AdmittedRow[]
  /** Those that nodes have shown, as far as is known here. */
  invitations: InvitationRow[]
  revoked: RevokedRow[]
}
export type InvitationRow = { key: NodeId; role: 'member' | 'client'; name: string; expiresAt: number | null }
export type RevokedRow = {
  key: NodeId
  /** What has that key; null where neither is known, as of an invitation that nobody has used. */
  kind: 'node' | 'invitation' | null
  /** Of the invitation, or of the one that admitted the node; empty where it has none or is not known. */
  name: string
  at: number
  reason: string
}

export type LinkRow = {
  peer: NodeId
  role: NodeRole | null
  host: string
  port: number
  initiator: boolean
  since: number
  roundTripMs: number | null
  messagesIn: number
  messagesOut: number
  view: 'eager' | 'lazy' | 'none'
  backlog: number
  score: number
  standing: Standing
}

export type MemberRow = {
  id: NodeId
  role: NodeRole
  /** `revoked`: the owner of the network has put it out; what the others last saw of it does not matter. */
  state: 'alive' | 'suspect' | 'dead' | 'left' | 'revoked'
  host: string
  port: number
  incarnation: number
  /** When it came into this state, by the author's clock. */
  since: number
  byWord: NodeId
  roundTripMs: number | null
  self: boolean
}

/** Digests of every projection's rows, sha-256 hex, as they stood after event `at`. */
export type ProjectionDigests = { at: number; digests: Record<string, string> }

export type RebuildProgress = {
  projection: string
  done: number
  total: number
  eventsPerSecond: number
  timeLeftMs: number | null
}
export type RebuildResult = {
  projections: { name: string; events: number; elapsedMs: number; digestBefore: string; digestAfter: string }[]
}

/** What this version has to do with a log that an older one wrote. */
export type MigrationPlan = {
  events: number
  /** Event kinds by the version of their payload, and the version that this p2pt writes (null: it does not know the kind). */
  versions: { kind: string; version: number; present: number | null; events: number }[]
  /** Run whenever such an event is read; the log is never rewritten. */
  upcasts: { kind: string; from: number; to: number; events: number }[]
  /** `stored`: version of the stored rows, null where there are none. `events`: how many a rebuild folds. */
  projections: {
    name: string
    version: number
    stored: number | null
    checkpoint: number
    rebuild: 'missing' | 'version' | 'beyond-log' | 'damaged' | null
    events: number
  }[]
}
export type Migrated = { plan: MigrationPlan; elapsedMs: number; digests: Record<string, string> }

export type ImportProgress = { phase: 'checking' | 'writing'; done: number; total: number | null }
export type ImportResult = {
  /** In the file. */
  events: number
  stored: number
  /** In the log already. */
  duplicates: number
  /** Private events of other nodes. */
  privateLeftOut: number
  /** Not stored since their author has too many holes below them. */
  deferred: number
  id: NodeId
  role: NodeRole
}

export type BackupProgress = { done: number; total: number }
/** `head`: place of the last event in the copy. `gossipSeq` and `indexSeq`: the last numbers of the node's own events in it. */
export type BackupResult = {
  directory: string
  at: number
  head: number
  headDigest: string
  gossipSeq: number
  indexSeq: number
}

/** An event as commands show it. */
export type EventRow = {
  seq: number
  lamport: number
  at: number
  author: NodeId
  stream: Stream
  authorSeq: number
  kind: string
  event: JsonEvent
}
/** An event with its bytes as base64 text. */
export type JsonEvent = { [K in keyof Event]: Event[K] } & Record<string, unknown>

/** `limit`: the first so many of them. `last`: the last so many. */
export type LogFilter = { from?: number; to?: number; kinds?: string[]; author?: string; limit?: number; last?: number }

export type LogStats = {
  /** That are there, of so many authors. */
  events: number
  authors: number
  lamport: number
  /** Bytes of the database's files. */
  bytesOnDisk: number
  /** Events that the log had and has let go, or lost. */
  gone: number
  /** When the first event arrived, by this machine's clock; null where that is not kept. */
  sinceAt: number | null
  /** What arrived in a day, over the last week at most; null while less than an hour is known. `bytes` of signed events, null where none were read. */
  growthPerDay: { events: number; bytes: number | null } | null
  /** What only the events themselves tell; null where they were not read. */
  read: EventStats | null
}
/** Sizes are those of signed events, times those that their authors claim. */
export type EventStats = {
  bytes: number
  firstAt: number | null
  lastAt: number | null
  byKind: { kind: string; events: number; bytes: number }[]
}

/** How far a walk over the log has come, by the places in it. */
export type WalkProgress = { done: number; total: number }
export type VerifyProgress = { done: number; total: number }
export type VerifyResult = {
  intact: boolean
  events: number
  segments: number
  headDigest: string
  /** Events whose signature was checked. */
  signaturesChecked: number
  ranges: DamagedRange[]
  /** Places, inclusive, of which nothing is left, and that is known: lost and recorded by a repair, or pruned. No damage. */
  holes: { from: number; to: number; what: 'lost' | 'pruned' }[]
  /** Events that were pruned. */
  pruned: number
  /** What is wrong besides events (the database's own complaint, a missing head file, the key of another node): sentences. */
  problems: string[]
}

/** Events of one author's stream, by author sequence. */
export type AuthorSpan = { author: NodeId; stream: Stream; from: number; to: number }

/** What a repair did. */
export type RepairResult = {
  /** False: the log was intact, and nothing was changed. */
  repaired: boolean
  /** The log can be used. */
  intact: boolean
  events: number
  headDigest: string
  /** Where the damaged files are; null if nothing was changed. */
  keptIn: string | null
  /** What was wrong. */
  damage: DamagedRange[]
  problems: string[]
  /** Places that are gone; `known`: whose events stood there, `unknown`: how many more, of which nothing is known. */
  lost: { from: number; to: number; known: AuthorSpan[]; unknown: number }[]
  /** The next own author sequence, by stream, where numbers were left out since they may have been used. */
  floors: { [S in Stream]?: number }
}

export type Standing = 'good' | 'thin-ice' | 'banned'

export type ScoreRow = {
  peer: PeerId
  score: number
  standing: Standing
  ownGood: number
  ownBad: number
  reporters: number
  /** One line for a person, e.g. "21 bad pieces seen here". */
  because: string
}

/** One thing that moved a score, in the order it was learnt. */
export type ExplainedVerdict = {
  seq: number
  lamport: number
  at: number
  reporter: NodeId
  kind: string
  /** What was seen, a sentence. */
  evidence: string
  good: number
  bad: number
  scoreAfter: number
  standingAfter: Standing
  decisive: boolean
}
export type Explanation = {
  peer: PeerId
  policy: string
  score: number
  standing: Standing
  terms: { name: string; value: number; because: string }[]
  verdicts: ExplainedVerdict[]
  /** Sequences of the smallest set of events that made the ban; empty where there is none. */
  decisive: number[]
  /** What the same events come to in causal order; null where there are too many of them to say. */
  now: HindsightRow | null
}

/**
 * What a node would conclude of a peer now: the same events in the order of their stamps. `difference`: the event that makes
 * another standing of it, null where it is the same or was not found.
 */
export type HindsightRow = {
  peer: PeerId
  score: number
  standing: Standing
  differs: boolean
  difference: { event: EventRow; before: Standing; after: Standing } | null
}
/** Peers that would stand otherwise. `compared`: false where the log has too many verdicts for it. */
export type HindsightResult = { compared: boolean; rows: HindsightRow[] }

/** So many events of a lifting set are told. */
export const LIFTING_TOLD_MAX = 10_000
/**
 * `tipping`: the event that banned it, by which rule, and how it stood before and after; null where it is not banned. `lifting`: without
 * these events, ascending sequences, it would stand; the first of `liftingCount`. `claim`: `smallest` if no smaller set would do,
 * `irreducible` if none of it can be left out, `lifting` if that was not tried, as there is too much.
 */
export type BisectResult = {
  peer: PeerId
  standing: Standing
  tipping: { event: EventRow; rule: string; before: Stood; after: Stood } | null
  lifting: number[]
  liftingCount: number
  claim: 'smallest' | 'irreducible' | 'lifting'
}
type Stood = { score: number; standing: Standing }

/** `side`: who lacks the event, or weighs it otherwise. `event`: by its place in the log that decided by it. */
export type DiffReason = {
  what: 'lacks' | 'weighs' | 'operator' | 'revoked'
  side: 'here' | 'there'
  event: EventRow | null
  text: string
}
export type DiffRow = {
  peer: PeerId
  here: Stood & { because: string }
  there: Stood & { because: string }
  reasons: DiffReason[]
}
/** `parameters`: those of the policies that differ. `differing`: peers that stand otherwise there, of which the first are told. */
export type DiffResult = {
  here: NodeId
  there: NodeId
  policy: { here: string; there: string; parameters: { name: string; here: number; there: number }[] }
  differing: number
  peers: DiffRow[]
}

/** Evidence as `audit export` writes it (roles/audit/audit-bundle.ts). */
export type AuditEvidence = { p2pt: 'audit' } & object

/** A policy by its name and all of its parameters; `trust:` and a node id for each trusted key. */
export type AdoptedPolicy = { id: string; parameters: Record<string, number> }

/** A question may leave out so many nodes, and as many events. */
export const WHAT_IF_MAX = 10_000
/** `without`: node ids, as if these had never said anything. `withoutEvents`: places in this log. `as`: the node that judges. */
export type ReplayRequest = {
  without?: string[]
  withoutEvents?: number[]
  until?: number
  as?: string
  policy?: { id: string; parameters: Record<string, number> }
}
export type ReplayResult = {
  policy: string
  /** Whose judgement. */
  as: NodeId
  events: number
  elapsedMs: number
  scores: ScoreRow[]
  /** Peers whose standing differs from the live one. */
  changed: { peer: PeerId; live: Standing; liveBecause: string; replayed: Standing; replayedBecause: string }[]
  /** Digest of the reputation projection's rows: live, and replayed over all events. */
  liveDigest: string | null
  replayedDigest: string | null
}

/**
 * A place in the log's own order: after event `seq`, with the stamp and the author's claim of the time of the last event
 * that is there by then (0 and null where none is).
 */
export type LogPlace = { seq: number; lamport: number; at: number | null }

/** As it stood after this event; default: now. */
export type AsOf = { at?: number }

/** Everything that can be read from a log alone: of a running node through its socket, of a stopped one directly. */
export interface LogQueries {
  events(filter: LogFilter): AsyncIterable<EventRow>
  /** The last event, by its place, which is no count: places of pruned events are empty. `lamport`: the node's clock. */
  head(): Promise<{ seq: number; lamport: number }>
  /** From memory, unless it is to read each event as well. */
  stats(options?: { read?: boolean }): Progressive<WalkProgress, LogStats>
  verify(options: { signatures: boolean }): Progressive<VerifyProgress, VerifyResult>
  /** Signed events as base64, one by one, in log order: the export that can be checked elsewhere. */
  signed(filter: LogFilter): AsyncIterable<{ seq: number; body: string; signature: string }>
  /** The last event as of `when`: a sequence, `lamport:N`, or a time (ISO 8601, or ms since 1970) by the order of arrival. */
  place(when: string): Promise<LogPlace>
  scores(asOf?: AsOf): Promise<ScoreRow[]>
  explain(peer: string, asOf?: AsOf): Promise<Explanation>
  /** Who would stand otherwise, in the causal order of all that was learnt. */
  hindsight(asOf?: AsOf): Progressive<WalkProgress, HindsightResult>
  /** Why a peer is banned, by event. */
  bisect(peer: string, asOf?: AsOf): Progressive<WalkProgress, BisectResult>
  /** Why another node, whose log a bundle holds, thinks otherwise of peers. `file`: absolute. */
  diff(options: { file: string }): Progressive<WalkProgress, DiffResult>
  /** Evidence for what this node thinks of a peer, or of those that sent bad pieces of a torrent: an info hash. */
  audit(about: string): Progressive<WalkProgress, AuditEvidence>
  replay(request: ReplayRequest): Progressive<WalkProgress, ReplayResult>
  members(asOf?: AsOf): Promise<MemberRow[]>
  digests(options: { at?: number }): Promise<ProjectionDigests>
  /** The network, who is admitted to it, and who not any more. */
  network(): Promise<NetworkView>
}

export type Notice = {
  at: number
  level: 'info' | 'warning' | 'error'
  /** For programs, e.g. `download.completed`, `peer.banned`, `link.lost`, `bootstrap.unreachable`. */
  code: string
  /** For people; may hold names from the network, so whoever shows it in a terminal makes it printable. */
  text: string
}

export interface NodeService extends LogQueries {
  status(): Promise<NodeStatus>
  links(): Promise<LinkRow[]>
  /** Asks the node to stop; resolves when it has begun. */
  stop(): Promise<void>
  rebuild(options: { projections?: string[] }): Progressive<RebuildProgress, RebuildResult>
  /** Copies the node as it is now to `directory`, an absolute path where nothing is yet; the key too. */
  backup(options: { directory: string }): Progressive<BackupProgress, BackupResult>
  /** Events as they are appended, after `from` (exclusive; default: from now on). Ends when closed. */
  tail(options: { from?: number; kinds?: string[] }): AsyncIterable<EventRow>
  notices(options: { last?: number }): AsyncIterable<Notice>
  /** Passes on the owner's word that a key is admitted no more; both base64, as the owner signed it. */
  revoke(revocation: string, ownerSignature: string): Promise<NetworkView>
  ban(peer: string, reason: string): Promise<ScoreRow>
  unban(peer: string, reason: string): Promise<ScoreRow>
  /** Judges by this policy from here on. Bans that were made stay. */
  adopt(policy: AdoptedPolicy): Promise<AdoptedPolicy>
}

// --- index

export type SearchHit = {
  infoHash: string
  title: string
  sizeBytes: number
  fileCount: number
  tags: string[]
  /** Nodes whose last signed word is that they hold all of it, as far as whoever answered says. */
  seeders: number
  /** Of these, those whose signed word came with the answer; an answer has room for a few of each torrent. */
  seedersProven: number
  /** When the last of those who offered it was heard of, by its own word, ms since 1970; left out where that is not known. */
  lastSeenAt?: number
  publisher: NodeId
  /** By its author; 0 where that is yet to come. */
  publishedAt: number
  magnet: string
}
/** `lacks`: hits of the other owner, published some time ago, that are not in its answer though that is all it has. */
export type AskedOwner = {
  node: NodeId
  /** `not-level`: it may lack something, as it has just come; `silent`: it had said nothing when the search ended. */
  outcome: 'answered' | 'not-level' | 'silent' | 'failed'
  reason: string | null
  hits: number
  lacks: number
  elapsedMs: number
}
/** What was asked for one word of a query, of the owners of its partition; of a query without words, one node and all it holds. */
export type SearchPart = {
  keyword: string | null
  partition: number | null
  asked: AskedOwner[]
  /** True if one answered that has what the owners of this partition have. */
  complete: boolean
  /** Where its owners keep the best of this word alone: so many, of so many that they know of. */
  cut: { kept: number; known: number } | null
}
export type SearchResult = {
  query: string
  /**
   * What the hits are of, where nothing was found for what was typed and some of its words are one slip away from words of titles; its
   * next page is asked for with this text. Null where they are of the query.
   */
  corrected: string | null
  hits: SearchHit[]
  /** There is more. */
  truncated: boolean
  /** What to ask with for the rest; null where there is none, or a search over several lists has shown a thousand hits. */
  cursor: string | null
  /** True if for each part of the query somebody answered who has all there is. */
  complete: boolean
  parts: SearchPart[]
  /** Owners that are asked last from now on, for a while, and why: what they said does not agree with what others signed. */
  charged: { node: NodeId; reason: string }[]
  /** Of the first part: the keyword whose partition was asked, and which node answered for it; null when the query has no word. */
  keyword: string | null
  partition: number | null
  answeredBy: NodeId | null
  /** Nodes that were asked and did not answer, with the reason. */
  failed: { node: NodeId; reason: string }[]
  elapsedMs: number
}
/** `limit`: 1 to `HITS_MAX`, default `HITS_DEFAULT`. `cursor`: of an earlier answer to the same query. */
export type SearchRequest = { text: string; limit?: number; cursor?: string }

export type IndexStatus = {
  documents: number
  keywords: number
  postings: number
  indexNodesAlive: number
  /**
   * Of the 1024 partitions, those this node owns as rank 1, 2, 3; and those of them in which it has what their other owners
   * have. In the others it says with each answer that it may lack something.
   */
  owned: { rank1: number; rank2: number; rank3: number; level: number }
  /** `torrents`: with an event there, those that nobody offers any more among them. */
  partitions: { partition: number; rank: number; isLevel: boolean; torrents: number; owners: NodeId[] }[]
  repair: { lastAt: number | null; fetched: number; inSync: boolean }
}

export interface IndexService {
  indexStatus(options: { partitions: boolean }): Promise<IndexStatus>
  /** What this node itself holds, without asking another. */
  searchHere(request: SearchRequest): Promise<SearchResult>
}

// --- client

export type TorrentRow = {
  infoHash: string
  name: string
  /** `queued`: it waits for others, or has been shared enough. */
  state: 'fetching-metadata' | 'checking' | 'moving' | 'downloading' | 'seeding' | 'queued' | 'paused' | 'failed'
  /** Why it is at work or waits, a sentence for a person. */
  why: string
  problem: string | null
  origin: 'download' | 'publish'
  directory: string
  sizeBytes: number
  pieceCount: number
  piecesVerified: number
  /** With bytes of wanted files, and how many of those are verified. */
  piecesWanted: number
  piecesWantedVerified: number
  /** In the order of the files, not the rarest pieces first. */
  sequential: boolean
  downloadedBytes: number
  uploadedBytes: number
  downloadBytesPerSecond: number
  uploadBytesPerSecond: number
  timeLeftMs: number | null
  peers: number
  /** Peers that offer it and cannot be reached, as they and we are behind routers; 0 while it has peers. */
  unreached: number
  /** Of this torrent alone; 0: none. */
  limits: TorrentLimits
  corruptPercent: number
  magnet: string
  /** What is good to know though nothing is wrong: which of its files are called otherwise on the disk. */
  note?: string
}
/** What is left out stays as it is. `addTrackers`, `removeTrackers` and so on: addresses. */
export type SourcesRequest = {
  public?: boolean
  /** If it is public: the public Mainline DHT too, and local service discovery. */
  dht?: boolean
  local?: boolean
  addTrackers?: string[]
  removeTrackers?: string[]
  addWebSeeds?: string[]
  removeWebSeeds?: string[]
  /** Endpoints to dial now, `host:port`. */
  addPeers?: string[]
}
/** `why`: why nobody is asked, null where they are. */
export type SourcesRow = {
  infoHash: string
  public: boolean
  dht: boolean
  local: boolean
  private: boolean
  why: string | null
  sources: SourceRow[]
}
export type SourceRow = {
  kind: 'tracker' | 'web-seed' | 'dht' | 'local'
  /** What is asked, for people: an address, or a name of it. */
  url: string
  state: 'not-asked' | 'waiting' | 'announcing' | 'works' | 'fails'
  problem: string | null
  seeders: number | null
  leechers: number | null
  peers: number
  /** When the torrent was announced there last, ms since 1970; null where it was not, or nobody keeps it. */
  announcedAt: number | null
  /** Of the public DHT that this client knows. */
  nodes: number | null
}
/** Rates in bytes a second, goals in percent of the size and in ms; 0: none, and for goals those of the client. */
export type TorrentLimits = Rates & SeedGoals
/** `now`: the rates that hold by the schedule. */
export type ClientLimits = { settings: ClientSettings; now: Rates }
export type TorrentPeerRow = {
  infoHash: string
  peer: PeerId
  host: string
  port: number
  client: string
  completion: number
  downloadBytesPerSecond: number
  uploadBytesPerSecond: number
  choked: boolean
  onParole: boolean
  score: number
  standing: Standing
}
/** `refused`: by which index nodes own publications are not taken, how many each, and why. */
export type ClientStatus = {
  node: NodeStatus
  torrents: TorrentRow[]
  limits: ClientLimits
  refused: (RefusedBy & { publications: number })[]
}
export type DhtStatus = {
  hyperdht: { endpoint: { host: string; port: number } | null; bootstrap: string[]; links: number }
  mainline: { port: number; nodes: number }
}

/** `torrentFile` is base64. One of the two. */
export type AddRequest = {
  torrentFile?: string
  magnet?: string
  directory?: string
  /** Downloads over files that stand there and are not of this torrent. */
  overwrite?: boolean
  /** Which of its files are wanted; left out: all. */
  select?: SelectRequest
  /** Trackers, web seeds and peer exchange may be used; left out: as the client is told for all. */
  public?: boolean
  /** And the public Mainline DHT, and local service discovery. */
  dht?: boolean
  local?: boolean
}
export type PriorityName = 'skip' | 'low' | 'normal' | 'high'
/**
 * `files`: numbers from 1, runs of them (`3-7`), paths, names, folders, or patterns of them; left out: all. `priority`: of
 * these; `others`: of all others. What is left out stays as it is.
 */
export type SelectRequest = { files?: string[]; priority?: PriorityName; others?: PriorityName; sequential?: boolean }
/** `number`: its place in the torrent, from 1. `path`: below the torrent's directory, with slashes. */
export type TorrentFileRow = { number: number; path: string; sizeBytes: number; verifiedBytes: number; priority: PriorityName }
/** One torrent of one file or folder; `path` is absolute. `hidden`: with files and folders whose names begin with a dot. */
export type PublishRequest = {
  path?: string
  /** Base64, in place of a path: a torrent that others made. Its files must stand in `directory`, or be here already. */
  torrentFile?: string
  directory?: string
  title?: string
  tags?: string[]
  hidden?: boolean
  /** Of a path: a torrent of versions 1 and 2 at once (BEP 52). */
  hybrid?: boolean
}
/** `walking`: files found so far; `hashing`: bytes. */
export type PublishProgress =
  | { phase: 'walking'; done: number; total: null }
  | { phase: 'hashing' | 'announcing'; done: number; total: number }
/** What was left out of a publication: how many entries, and the first names. */
export type Skipped = { count: number; first: readonly string[] }
/** Bytes hashed so far. */
export type RecheckProgress = { done: number; total: number }
/** Bytes that stand in the new place so far. */
export type MoveProgress = { done: number; total: number }
/** `reason`: a sentence, with what to do about it. */
export type RefusedBy = {
  node: NodeId
  code: 'refused' | 'over-budget' | 'malformed' | 'forged' | 'not-admitted' | 'clock-jump' | 'below-rank'
  reason: string
}
export type PublishResult = {
  infoHash: string
  title: string
  /** The title under which this node had published the same content before, if it was another one. */
  replaces: string | null
  sizeBytes: number
  magnet: string
  /** Index nodes that say they hold the entry now. */
  acknowledgedBy: NodeId[]
  /** Of its keywords, and those of which two owners say that they hold it, or the only one there is. */
  partitions: number
  partitionsHeld: number
  /** True if that is so of all of them: one owner's word alone is not enough. */
  acknowledged: boolean
  /** Owners that could not be told yet; they are tried again in the background. */
  pending: number
  /** Owners that do not take it. */
  refused: RefusedBy[]
  /** `links`: symbolic links. `special`: pipes, sockets, devices. What is in a hidden folder counts with it, as one. */
  skipped: { hidden: Skipped; links: Skipped; special: Skipped }
}

/**
 * One torrent of many. `path`, absolute: a file or folder, or a `.torrent` whose files stand in `directory`, or beside it where
 * that is left out.
 */
export type BulkItem = { path: string; directory?: string; title?: string; tags?: string[] }
/** Items of one call: half a second's work where files are small. */
export const BULK_ITEMS_MAX = 256
/** `items`: at most `BULK_ITEMS_MAX`. `hidden` and `hybrid` as of one publication. */
export type BulkRequest = { items: BulkItem[]; hidden?: boolean; hybrid?: boolean }
/** Items that are through, and bytes hashed. */
export type BulkProgress = { done: number; bytes: number }
/**
 * What became of an item. `unchanged`: it was published before, under this title, and its files look as they did; nothing was
 * hashed or said. `acknowledged`, `pending` and `refused` as of one publication; an item that is `unchanged` has none.
 */
export type BulkOutcome =
  | {
      outcome: 'published'
      infoHash: string
      title: string
      sizeBytes: number
      magnet: string
      acknowledged: boolean
      pending: number
      refused: RefusedBy[]
    }
  | { outcome: 'unchanged'; infoHash: string; title: string; sizeBytes: number; magnet: string }
  | { outcome: 'failed'; reason: string }

export interface ClientService {
  add(request: AddRequest): Promise<TorrentRow>
  /** The torrent's row, at most twice a second, until it is complete (or failed, or removed). */
  follow(infoHash: string): Progressive<TorrentRow, TorrentRow>
  publish(request: PublishRequest): Progressive<PublishProgress, PublishResult>
  /** The outcome of each, in their order: what fails holds up no other. Whoever leaves ends it between two of them. */
  publishMany(request: BulkRequest): Progressive<BulkProgress, BulkOutcome[]>
  search(request: SearchRequest): Promise<SearchResult>
  clientStatus(): Promise<ClientStatus>
  torrentPeers(options: { infoHash?: string }): Promise<TorrentPeerRow[]>
  dht(): Promise<DhtStatus>
  pause(infoHash: string): Promise<TorrentRow>
  resume(infoHash: string): Promise<TorrentRow>
  /** Its files without padding; none while they are not known. */
  files(infoHash: string): Promise<TorrentFileRow[]>
  /** Which files are wanted from now on. */
  select(infoHash: string, request: SelectRequest): Promise<TorrentRow>
  /** Hashes everything again: seeds what is whole, and leaves a torrent paused of which pieces are missing. */
  recheck(infoHash: string): Progressive<RecheckProgress, TorrentRow>
  /** Puts its files into another folder, absolute, and goes on from there. */
  move(infoHash: string, request: { directory: string }): Progressive<MoveProgress, TorrentRow>
  /** Calls a file of it, or its folder, otherwise on the disk. `file`: a number from 1, a path or a name. */
  rename(infoHash: string, request: { file: string; name: string }): Promise<TorrentRow>
  remove(infoHash: string, options: { deleteFiles: boolean }): Promise<void>
  /** The torrent file, base64, with its trackers and web seeds. */
  torrentFile(infoHash: string): Promise<{ name: string; torrentFile: string }>
  /** Where a torrent finds peers besides its network, and what became of it. */
  sources(infoHash: string): Promise<SourcesRow>
  changeSources(infoHash: string, request: SourcesRequest): Promise<SourcesRow>
  limits(): Promise<ClientLimits>
  /** What is left out stays as it is. */
  configure(change: Partial<ClientSettings>): Promise<ClientLimits>
  limit(infoHash: string, change: Partial<TorrentLimits>): Promise<TorrentRow>
  corrupt(infoHash: string, percent: number): Promise<TorrentRow>
}
