import type { InfoHash, NodeId, PeerId } from './ids.ts'

// Every event kind as TypeScript sees it: past facts, each with what was seen, never with a judgement.
// The catalogue in docs/event-catalogue.md is the reference; proto/events.proto is the stored form.

export type NodeRole = 'bootstrap' | 'index' | 'client'

/** Where a member can be dialled. `port` is HyperDHT's, `dhtPort` Mainline's (0 where it runs none); both UDP. */
export type MemberAddress = { host: string; port: number; dhtPort: number }

/** Pieces `first` to `first + count - 1`. */
export type PieceRange = { first: number; count: number }

export type BadPieceEvidence = 'sole-source' | 'block-differs'

/** Why a piece was called bad: what was expected against what came, so that anyone can check the verdict. */
export type BadPiece = {
  index: number
  evidence: BadPieceEvidence
  /** Of the block that differs (or the whole piece), bytes from the start of the piece. */
  offset: number
  length: number
  /** sha-1, hex. For a sole source `expected` is the piece hash of the metainfo. */
  expected: string
  received: string
}

/** The network that this log belongs to, and the credential that it was joined with: empty for a client of an open network. */
export type NetworkJoined = { kind: 'network.joined'; genesis: Uint8Array; credential: Uint8Array }
/** The author shows its credential (keys/credential.ts) before it says anything else in public, and again when it has another. */
export type NodeAdmitted = { kind: 'node.admitted'; credential: Uint8Array }
/** The owner's word (keys/revocation.ts), whoever passes it on: it proves itself. */
export type AccessRevoked = { kind: 'access.revoked'; revocation: Uint8Array; ownerSignature: Uint8Array }

export type NodeStarted = { kind: 'node.started'; role: NodeRole; software: string; incarnation: number }
export type NodeStopped = { kind: 'node.stopped'; reason: string }
export type PolicyAdopted = { kind: 'policy.adopted'; policy: string; parameters: Record<string, number> }
export type OperatorBanned = { kind: 'operator.banned'; subject: PeerId; reason: string }
export type OperatorUnbanned = { kind: 'operator.unbanned'; subject: PeerId; reason: string }

type MemberChange = { subject: NodeId; incarnation: number; role: NodeRole } & MemberAddress
/** Said of oneself at each start, and by a prober of a member that answers again. */
export type MemberAlive = { kind: 'member.alive' } & MemberChange
export type MemberSuspect = { kind: 'member.suspect' } & MemberChange
export type MemberDead = { kind: 'member.dead' } & MemberChange
/** The member itself, with a higher incarnation, against a suspicion. */
export type MemberRefuted = { kind: 'member.refuted' } & MemberChange
/** The member itself, as it stops politely. */
export type MemberLeft = { kind: 'member.left' } & MemberChange

export type HeartbeatRolledUp = {
  kind: 'heartbeat.rolled-up'
  subject: NodeId
  beatsSeen: number
  beatsMissed: number
  roundTripMicrosMin: number
  roundTripMicrosMedian: number
  roundTripMicrosMax: number
  firstAt: number
  lastAt: number
}

export type PieceJudged = { kind: 'piece.judged'; subject: PeerId; infoHash: InfoHash; good: PieceRange[]; bad: BadPiece[] }
export type PieceSuspected = { kind: 'piece.suspected'; infoHash: InfoHash; index: number; sources: PeerId[] }

export type TorrentPublished = {
  kind: 'torrent.published'
  infoHash: InfoHash
  title: string
  sizeBytes: number
  fileCount: number
  tags: string[]
}
/** The author no longer offers it. `title` as it was published: its words say which partitions the event goes to. */
export type TorrentWithdrawn = { kind: 'torrent.withdrawn'; infoHash: InfoHash; title: string }
/** The author holds every piece, hash-checked, and offers it. `title` as found: its words say which partitions the event goes to. */
export type TorrentVerified = { kind: 'torrent.verified'; infoHash: InfoHash; title: string }

/**
 * The author is there, and offers all that it has published or verified and not withdrawn. Soft state: an offer counts for so
 * long after its author said anything of the kind (keyword-index/renewals.ts).
 */
export type OffersRenewed = { kind: 'offers.renewed' }

export type DownloadAdded = {
  kind: 'download.added'
  infoHash: InfoHash
  name: string
  /** It was found under it, or published with it; empty where neither is known, and its name counts. Since version 2. */
  title: string
  directory: string
  origin: 'download' | 'publish'
  magnet: string
  torrentFile: Uint8Array
  /** Files that stand there and are not of this torrent are written over. */
  overwrite: boolean
}
/** The metainfo is known: at once for a torrent file, after ut_metadata (BEP 9) for a magnet. */
export type DownloadDescribed = {
  kind: 'download.described'
  infoHash: InfoHash
  name: string
  sizeBytes: number
  pieceCount: number
  pieceLengthBytes: number
  torrentFile: Uint8Array
}
/** Everything that stood on the disk was hashed: exactly these pieces are there, whatever was said before. */
export type DownloadChecked = { kind: 'download.checked'; infoHash: InfoHash; pieces: PieceRange[] }
/** Place of a file in its torrent, from 0, and how it looked on the disk (see `stampOf`): compared, never parsed. */
export type FileStampAt = { file: number; stamp: string }
/** All pieces of these files are verified, and they looked like this. */
export type DownloadStamped = { kind: 'download.stamped'; infoHash: InfoHash; stamps: FileStampAt[] }
/** `bad-piece`: it looks as it did, and a piece of it does not match its hash. */
export type HowChanged = 'gone' | 'shorter' | 'modified' | 'bad-piece'
/** `path`: below the torrent's directory, with slashes. */
export type FileChange = { file: number; path: string; how: HowChanged }
/** Somebody else changed a file under this torrent; it is not served until it is checked again. */
export type DownloadChanged = { kind: 'download.changed'; infoHash: InfoHash } & FileChange
/** 0: not wanted, 1: low, 2: normal, 3: high. */
export type FilePriority = 0 | 1 | 2 | 3
/** Which files of a torrent are wanted, and in which order. */
export type FileSelection = {
  /** A digit for each file in the torrent's order. */
  priorities: string
  /** Of the files after the last digit. */
  others: FilePriority
  /** In the order of the files, not the rarest pieces first. */
  sequential: boolean
}
/** `pieces`: those with wanted bytes; none while the metainfo is not known. */
export type DownloadSelected = { kind: 'download.selected'; infoHash: InfoHash; pieces: PieceRange[] } & FileSelection
/** Bytes a second; 0: no limit. */
export type Rates = { downloadBytesPerSecond: number; uploadBytesPerSecond: number }
/** When a torrent has been seeded enough: uploaded of its size, percent, or since it was complete, ms; 0: never. */
export type SeedGoals = { ratioGoalPercent: number; seedGoalMs: number }
/** Limits of one torrent; goals of 0 are those of the client. */
export type DownloadLimited = { kind: 'download.limited'; infoHash: InfoHash } & Rates & SeedGoals
/** What was moved since the last such event. */
export type DownloadTransferred = {
  kind: 'download.transferred'
  infoHash: InfoHash
  downloadedBytes: number
  uploadedBytes: number
}
/**
 * Where a torrent finds peers besides its network. `public`: trackers, web seeds and peer exchange may be used, and, where they are
 * true too, the public Mainline DHT (`dht`) and local service discovery (`local`).
 */
export type TorrentSources = { public: boolean; trackers: string[]; webSeeds: string[]; dht: boolean; local: boolean }
/** Of a torrent that nobody has said anything of. */
export const NO_SOURCES: TorrentSources = { public: false, trackers: [], webSeeds: [], dht: false, local: false }
export type DownloadSourced = { kind: 'download.sourced'; infoHash: InfoHash } & TorrentSources
/**
 * What a file of a torrent is called on the disk, one part of a path; empty: as in the torrent. `file`: its place in the torrent,
 * from 0; null: the torrent's folder, or its file where it has no folder.
 */
export type NameOnDisk = { file: number | null; name: string }
/**
 * Its files are about to be put into `directory`, those of `names` under new names. Until `download.tidied` some of them may
 * stand in both places; which one is the torrent's, `download.moved` says.
 */
export type DownloadMoving = { kind: 'download.moving'; infoHash: InfoHash; directory: string; names: NameOnDisk[] }
/** All of them stand where they were to be put, and that is the torrent's place now. */
export type DownloadMoved = { kind: 'download.moved'; infoHash: InfoHash }
/** Nothing of it is left in the place that is not the torrent's. */
export type DownloadTidied = { kind: 'download.tidied'; infoHash: InfoHash }
/** `when`: a cron pattern in local time, from which on these rates hold. */
export type ScheduledRates = { when: string } & Rates
/** Of peers on this machine and in local networks, and of all others, besides the rates of all; 0: none. */
export type PeerClassRates = {
  localDownloadBytesPerSecond: number
  localUploadBytesPerSecond: number
  remoteDownloadBytesPerSecond: number
  remoteUploadBytesPerSecond: number
}
/** Limits and queue of a client; 0: no limit. */
export type ClientSettings = Rates &
  PeerClassRates &
  SeedGoals & {
    connectionsMax: number
    /** Peers of one torrent that are served at a time. */
    uploadSlots: number
    /** Torrents that download, and that seed, at a time. */
    downloadsMax: number
    seedsMax: number
    schedule: ScheduledRates[]
  }
export type ClientConfigured = { kind: 'client.configured' } & ClientSettings
/** These pieces are on the disk and their hash was checked. */
export type DownloadVerified = { kind: 'download.verified'; infoHash: InfoHash; pieces: PieceRange[] }
/** Every wanted piece is here. */
export type DownloadCompleted = { kind: 'download.completed'; infoHash: InfoHash }
export type DownloadPaused = { kind: 'download.paused'; infoHash: InfoHash }
export type DownloadResumed = { kind: 'download.resumed'; infoHash: InfoHash }
export type DownloadRemoved = { kind: 'download.removed'; infoHash: InfoHash; filesDeleted: boolean }

/** `equivocation`: its author signed two events with one number. */
export type QuarantineReason = 'clock-jump' | 'bad-signature' | 'malformed' | 'flood' | 'equivocation'
export type EventQuarantined = {
  kind: 'event.quarantined'
  sender: NodeId
  reason: QuarantineReason
  author: NodeId | null
  authorSeq: number
  lamport: number
  count: number
}

/** `forged`: hits that nobody signed; `omitted`: it said that it has nothing, where another proved a hit. */
export type OwnerFault = 'forged' | 'omitted'
/** What an owner of a keyword answered here: its link says that it was this node, and nothing shows it to others. */
export type OwnerCharged = {
  kind: 'owner.charged'
  owner: NodeId
  fault: OwnerFault
  /** Empty where it was asked for all that it holds. */
  keyword: string
  /** A hit of whose kind there may be more: the one that is forged, or that it did not tell of. */
  infoHash: InfoHash
  /** The signed event that proves the hit; null and 0 where it is forged. */
  author: NodeId | null
  authorSeq: number
}

/** A kind this version does not know: kept, counted and relayed, read by nobody. */
export type UnknownEvent = { kind: 'unknown'; number: number; payload: Uint8Array }

export type KnownEvent =
  | NetworkJoined
  | NodeAdmitted
  | AccessRevoked
  | NodeStarted
  | NodeStopped
  | PolicyAdopted
  | OperatorBanned
  | OperatorUnbanned
  | MemberAlive
  | MemberSuspect
  | MemberDead
  | MemberRefuted
  | MemberLeft
  | HeartbeatRolledUp
  | PieceJudged
  | PieceSuspected
  | TorrentPublished
  | TorrentWithdrawn
  | TorrentVerified
  | OffersRenewed
  | DownloadAdded
  | DownloadDescribed
  | DownloadChecked
  | DownloadStamped
  | DownloadChanged
  | DownloadSelected
  | DownloadLimited
  | DownloadSourced
  | DownloadTransferred
  | DownloadMoving
  | DownloadMoved
  | DownloadTidied
  | ClientConfigured
  | DownloadVerified
  | DownloadCompleted
  | DownloadPaused
  | DownloadResumed
  | DownloadRemoved
  | EventQuarantined
  | OwnerCharged

export type Event = KnownEvent | UnknownEvent
export type EventKind = KnownEvent['kind']
export type EventOf<K extends EventKind> = Extract<KnownEvent, { kind: K }>
