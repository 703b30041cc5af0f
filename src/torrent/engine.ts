import type {
  BadPiece,
  FileChange,
  FilePriority,
  FileSelection,
  FileStampAt,
  InfoHash,
  NameOnDisk,
  NodeId,
  PeerClassRates,
  PeerId,
  PieceRange,
  Rates,
  Signer,
  TorrentSources,
  VerifySignature,
} from '../events/index.ts'
import type { SourceStatus } from './sources/public-sources.ts'

// The port of the data path. Adapters: engine.tcp.ts, which is our own, and engine.webtorrent.ts.

export type TorrentState = 'fetching-metadata' | 'checking' | 'moving' | 'downloading' | 'seeding' | 'paused' | 'failed'

export type TorrentStatus = {
  infoHash: InfoHash
  name: string
  state: TorrentState
  /** Why it failed, a sentence. */
  problem: string | undefined
  directory: string
  sizeBytes: number
  pieceCount: number
  pieceLengthBytes: number
  piecesVerified: number
  /** With bytes of wanted files, and how many of those are verified. */
  piecesWanted: number
  piecesWantedVerified: number
  downloadedBytes: number
  uploadedBytes: number
  downloadBytesPerSecond: number
  uploadBytesPerSecond: number
  /** ms; undefined while unknown */
  timeLeftMs: number | undefined
  peers: readonly TorrentPeer[]
  corruptPercent: number
  /** BEP 27; false while that is not known. */
  isPrivate: boolean
}

export type TorrentPeer = {
  /** The node key it proved (BEP 10 extension `p2pt_id`), else its address. */
  id: PeerId
  host: string
  port: number
  client: string
  /** Share of pieces it has, 0 to 1. */
  completion: number
  downloadBytesPerSecond: number
  uploadBytesPerSecond: number
  choked: boolean
  onParole: boolean
}

export type TorrentSource = { kind: 'torrent-file'; bytes: Uint8Array } | { kind: 'magnet'; uri: string }

export type Inspected = Pick<TorrentSources, 'trackers' | 'webSeeds'> & {
  infoHash: InfoHash
  /** Of the files in their order, empty for padding; undefined for a magnet link. */
  paths: readonly string[] | undefined
  /** Places of the files that a magnet link asks for (BEP 53), as runs; undefined for all. */
  wanted: readonly { first: number; last: number }[] | undefined
}

export type AddOptions = {
  /** Where its files go, absolute. */
  directory: string
  /** Pieces known to be verified: resumes without hashing. Left out: what stands there is hashed first. */
  verified?: readonly PieceRange[]
  /** How its settled files looked when they were verified; one that looks otherwise now is not served. */
  stamps?: readonly FileStampAt[]
  /** A file of it changed under the seed: it stays closed until it is rechecked. */
  changed?: FileChange
  paused?: boolean
  /** Downloads over files that stand there already and of which no piece matches. */
  overwrite?: boolean
  /** Which files are wanted; left out: all. */
  selection?: FileSelection
  /** Of this torrent alone. */
  rates?: Rates
  /** Where it finds peers besides the network; left out: nowhere. */
  sources?: TorrentSources
  /** What its files are called on the disk where that is not as in the torrent. */
  names?: ReadonlyMap<number | null, string>
  /**
   * A move of it was cut off: it stands, in parts, in this place too, with these names. That is cleared away before it is taken
   * up. `wasMoved`: it came from there, and what is not in its own place yet is brought.
   */
  elsewhere?: { directory: string; names: readonly NameOnDisk[]; wasMoved: boolean }
  /** It was published just now: for five minutes it is open and looks for who wants it, 64 such torrents at a time. */
  isNew?: boolean
  /** Its files were hashed a moment ago: it may rest at once, and nothing of it is looked at again. */
  isHashed?: boolean
  /** Gives the torrent file again, undefined while it cannot: a seed that nobody asks for keeps no copy then. */
  torrentFile?: () => Uint8Array | undefined
}

/** A move, and what is to be told of it: after a crash the one place of its files follows from what was told last. */
export type PlaceOptions = {
  /** Absolute; left out: where it is. */
  directory?: string
  /** Of those files that are called otherwise from now on. */
  names?: readonly NameOnDisk[]
  /** Of an earlier move, see {@link AddOptions}; `cleared` is told of it as well. */
  elsewhere?: AddOptions['elsewhere']
  /** Of this node: nothing is put into it, but for its downloads. */
  dataDirectory?: string
  /** Until it is `staged`, an abort leaves everything as it was. */
  signal?: AbortSignal
  /** Bytes that stand in the new place, of all. */
  onProgress?: (doneBytes: number, totalBytes: number) => void
  /** Nothing was found against it: from now on something of it may stand in the new place. */
  begun(): Promise<void>
  /** All of it stands in both. Once this resolves the new place is the torrent's. @param stamps of files that look otherwise */
  staged(stamps: readonly FileStampAt[]): Promise<void>
  /** Nothing of it is left in the place that is not its own. */
  cleared(): Promise<void>
}

export type TorrentFile = {
  /** Place in the torrent, from 0. */
  file: number
  /** Below the torrent's directory, with slashes. */
  path: string
  lengthBytes: number
  /** In verified pieces. */
  verifiedBytes: number
  priority: FilePriority
}

/** What a walk leaves out, and why: hidden (its name begins with a dot), a symbolic link, or no file at all (a pipe, a device). */
export type SkippedKind = 'hidden' | 'link' | 'special'
/** How many of each kind, and the first names, with folders ending in a slash. What is in a hidden folder is not counted. */
export type SkippedSummary = Readonly<Record<SkippedKind, { readonly count: number; readonly first: readonly string[] }>>

export type CreateOptions = {
  /** Of this node: what is in it is refused, but for its downloads. */
  dataDirectory?: string
  /** Takes hidden files and folders as well. */
  hidden?: boolean
  /** Of versions 1 and 2 at once (BEP 52). */
  hybrid?: boolean
  /** Files found so far. */
  onWalk?: (files: number) => void
  onProgress?: (doneBytes: number, totalBytes: number) => void
  /** Ends the walk and the hashing at once. */
  signal?: AbortSignal
}

export type StandingOptions = Pick<CreateOptions, 'dataDirectory' | 'onProgress' | 'signal'> & {
  /** Where its files stand, absolute. */
  directory: string
}

export type CreatedTorrent = TorrentMetainfo & {
  /** Add it with this directory and these stamps to serve it where it stands. */
  directory: string
  stamps: readonly FileStampAt[]
  skipped: SkippedSummary
}

/** What a full check of the disk found. */
export type DiskState = { pieces: readonly PieceRange[]; stamps: readonly FileStampAt[] }

export type TorrentMetainfo = {
  infoHash: InfoHash
  name: string
  sizeBytes: number
  fileCount: number
  pieceCount: number
  pieceLengthBytes: number
  torrentFile: Uint8Array
  /** Files that are called otherwise on the disk than in the torrent, by paths with slashes; left out: none. */
  renamed?: readonly { readonly from: string; readonly to: string }[]
}

/** A connection with a peer that was made elsewhere, such as through a hole in a router. */
export type MadeConnection = { readonly remoteAddress: string; readonly remotePort: number; destroy(error?: Error): unknown }

export interface TorrentEngineEvents {
  described(metainfo: TorrentMetainfo): void
  /** Everything that stood on the disk when it was added was hashed: exactly this is there. */
  checked(infoHash: InfoHash, found: DiskState): void
  /** These files are settled: all their pieces are verified, and this is how they look on the disk. */
  stamped(infoHash: InfoHash, stamps: readonly FileStampAt[]): void
  /** Somebody else wrote to a file of it, or took it away: it is served no more. */
  changed(infoHash: InfoHash, change: FileChange): void
  /** These pieces were downloaded, stand on the disk and match their hash. Batched. */
  verified(infoHash: InfoHash, pieces: readonly PieceRange[]): void
  /**
   * Attributable verdicts about one peer: good ones batched, bad ones at once and synchronously, before more is asked of
   * the peer. If it returns a promise, nothing is asked of the peer until that settles: time to decide on a ban.
   */
  judged(infoHash: InfoHash, subject: PeerId, good: readonly PieceRange[], bad: readonly BadPiece[]): void | Promise<void>
  /** A piece failed and nobody can be convicted yet; its sources are on parole. */
  suspected(infoHash: InfoHash, index: number, sources: readonly PeerId[]): void
  /** Every wanted piece is here. */
  completed(infoHash: InfoHash): void
  failed(infoHash: InfoHash, problem: string): void
  peer(infoHash: InfoHash, change: 'joined' | 'left', peer: PeerId): void
}

/** Moves pieces: everything about the wire, nothing about what to think of a peer. */
export interface TorrentEngine extends AsyncDisposable {
  /** Set once, before start. */
  listen(events: TorrentEngineEvents): void
  start(signal: AbortSignal): Promise<void>
  /** TCP port that peers connect to. */
  readonly port: number
  /** UDP port of its own Mainline DHT node, and how many nodes that knows. */
  readonly dht: { readonly port: number; readonly nodeCount: number }
  /** Adds and starts it; resolves as soon as it is taken up, not when it is complete. @throws TorrentError */
  add(source: TorrentSource, options: AddOptions): Promise<InfoHash>
  /** What a torrent file or a magnet link says, without adding it. @throws TorrentError */
  inspect(source: TorrentSource): Promise<Inspected>
  /**
   * Gives a torrent that is here already what the source says more: peers to dial, or the metainfo that it waits for.
   * @returns undefined if there is no such torrent, or the source says nothing new
   */
  supply(source: TorrentSource): Promise<InfoHash | undefined>
  /** Makes a torrent of files or folders without adding it; hashes them, so it takes a while. @throws TorrentError */
  create(paths: readonly string[], options: CreateOptions): Promise<CreatedTorrent>
  /**
   * The same of a torrent that others made and whose files stand in `directory`: they are hashed, and nothing is added.
   * @throws TorrentError `TORRENT_REFUSED`, `PRIVATE`, `NO_SUCH_PATH` where pieces are missing; the signal's reason
   */
  standing(torrentFile: Uint8Array, options: StandingOptions): Promise<CreatedTorrent>
  /** Holds from now on. */
  configure(limits: EngineLimits): void
  /** Of this torrent alone; webtorrent has no such limit. @throws TorrentError `UNKNOWN_INFO_HASH` */
  limit(infoHash: InfoHash, rates: Rates): void
  /** Where it finds peers from now on, besides the network; webtorrent has none. @throws TorrentError `UNKNOWN_INFO_HASH` */
  setSources(infoHash: InfoHash, sources: TorrentSources): Promise<void>
  /** What became of them; empty while it is closed or not public. @throws TorrentError `UNKNOWN_INFO_HASH` */
  sources(infoHash: InfoHash): readonly SourceStatus[]
  /** Files that another torrent has too are never deleted. */
  remove(infoHash: InfoHash, options: { deleteFiles: boolean }): Promise<void>
  pause(infoHash: InfoHash): Promise<void>
  /** @throws TorrentError `FILES_CHANGED` until it is rechecked, `CHECKING`, `PATH_TAKEN` */
  resume(infoHash: InfoHash): Promise<void>
  /**
   * Closes it and hashes everything that stands on the disk; what holds is what it has from then on. It stays closed: the
   * caller resumes it. After an abort it is as it was before.
   * @throws TorrentError `UNKNOWN_INFO_HASH`, `NO_METADATA`, `CHECKING`; the signal's reason
   */
  recheck(
    infoHash: InfoHash,
    options: { signal?: AbortSignal; onProgress?: (doneBytes: number, totalBytes: number) => void },
  ): Promise<DiskState>
  /**
   * Puts its files into another folder, or under other names, and goes on there. What it was before, running or not, it is then.
   * @throws TorrentError before `begun`: `UNKNOWN_INFO_HASH`, `NO_METADATA` for names, `CHECKING`, `MOVING`, `BAD_NAME`,
   * `PATH_TAKEN`, `FILE_IN_THE_WAY`, `FILES_CHANGED`, `PRIVATE`, `DISK`; after it `DISK`; the signal's reason
   */
  place(infoHash: InfoHash, options: PlaceOptions): Promise<void>
  /**
   * Which files are wanted from now on; what is under way of others is dropped, what is here of them stays.
   * @returns the pieces with wanted bytes, as runs; undefined while the metainfo is not known
   * @throws TorrentError `UNKNOWN_INFO_HASH`
   */
  select(infoHash: InfoHash, selection: FileSelection | undefined): Promise<readonly PieceRange[] | undefined>
  /** Without padding. @throws TorrentError `UNKNOWN_INFO_HASH`, `NO_METADATA` */
  files(infoHash: InfoHash): Promise<readonly TorrentFile[]>
  status(infoHash: InfoHash): TorrentStatus | undefined
  list(): readonly TorrentStatus[]
  /** How many have something open: a seed that nobody asks for is announced, and nothing else. */
  readonly openCount: number
  /** Closes every connection with this peer, refuses new ones both ways, and asks it for nothing. */
  ban(peer: PeerId): void
  unban(peer: PeerId): void
  /** Asks `admits` again of every peer that it is connected with, and closes the connections of those that it refuses now. */
  enforceAdmission(): void
  /** While on thin ice a peer is asked for one whole piece at a time, whatever it sends. */
  thinIce(peer: PeerId, isOnIt: boolean): void
  /** Serves this share of pieces with flipped bytes; the disk stays as it is. 0 ends it. For testing reputation. */
  corrupt(infoHash: InfoHash, percent: number): void
  /** Dials a peer that was learnt of elsewhere; nothing happens if it is banned or the torrent is paused. */
  connect(infoHash: InfoHash, host: string, port: number): void
  /** Talks over a connection that we made for this torrent, or, without one, that a peer made for a torrent it will name. */
  adopt(connection: MadeConnection, infoHash?: InfoHash): void
  /** Messages and datagrams of peers that were refused since the start. */
  readonly rejectedMessages: number
  /** Peers found in the Mainline DHT for this info hash. */
  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]>
}

/** Of all torrents together; 0: the engine's own, which for rates is none. */
export type EngineLimits = Rates &
  PeerClassRates & {
    connectionsMax: number
    /** Peers of one torrent that are served at a time. */
    uploadSlots: number
  }

export type TorrentErrorCode =
  | 'NOT_A_TORRENT'
  | 'BAD_MAGNET'
  | 'TORRENT_REFUSED'
  | 'DUPLICATE'
  | 'UNKNOWN_INFO_HASH'
  | 'PORT_IN_USE'
  | 'NO_SUCH_PATH'
  | 'DISK'
  /** It belongs to the data directory of a node. */
  | 'PRIVATE'
  /** Its files would stand where another torrent's files stand. */
  | 'PATH_TAKEN'
  /** Files that are not of this torrent stand where its files go. */
  | 'FILE_IN_THE_WAY'
  /** Its files were changed by somebody else. */
  | 'FILES_CHANGED'
  /** Its files are being hashed. */
  | 'CHECKING'
  /** Its files are being moved. */
  | 'MOVING'
  /** Not the name of a file, or of another one of the torrent. */
  | 'BAD_NAME'
  | 'NO_METADATA'

export class TorrentError extends Error {
  override readonly name = 'TorrentError'
  readonly code: TorrentErrorCode
  constructor(code: TorrentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Of connections over TCP. `allow`: both kinds are taken, and who hangs up on a plain one is dialled with encryption the next
 * time. `require`: none is made or taken, or goes on, in the clear. `refuse`: only plain ones.
 */
export const ENCRYPTIONS = ['allow', 'require', 'refuse'] as const
export type Encryption = (typeof ENCRYPTIONS)[number]

export type EngineOptions = {
  host: string
  /** TCP; 0 lets the system choose. */
  port: number
  /** Mainline bootstraps of the private network; never the public ones. */
  dhtBootstrap: readonly { host: string; port: number }[]
  /** By which our own engine enters the public Mainline DHT, once a torrent takes part in it: addresses or names. Left out: none. */
  publicDhtBootstrap?: readonly { host: string; port: number }[]
  identity: Signer & { readonly verify: VerifySignature }
  /** With whom pieces are exchanged, by the key that a peer proved, undefined for one that proved none. Left out: with all. */
  admits?: (key: NodeId | undefined) => boolean
  /** Left out: `allow`. */
  encryption?: Encryption
  /** A seed that had no peer for so long is closed until one comes, ms; left out: a minute. */
  restAfterMs?: number
}
