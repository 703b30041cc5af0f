import type { FileStampAt, InfoHash, PeerId, PieceRange, Rates, TorrentSources } from '../events/index.ts'
import type { BanList } from './ban-list.ts'
import type { EngineLimits, MadeConnection, TorrentEngineEvents, TorrentPeer } from './engine.ts'
import type { FileWatch } from './file-watch.fs.ts'
import type { KnownEndpoints } from './known-endpoints.ts'
import type { Metainfo } from './metainfo.ts'
import type { PieceStore } from './piece-store.fs.ts'
import type { SourceStatus } from './sources/public-sources.ts'

// The port below the engine. The engine (engine.fs.ts) knows torrents, open or not, and whose files are whose; a host of swarms
// knows peers. Adapters: engine.tcp.ts, which is our own, and engine.webtorrent.ts.

export type SwarmEvents = Pick<TorrentEngineEvents, 'judged' | 'suspected' | 'peer'> & {
  described(metainfo: Metainfo): void
  /**
   * Looks at the disk before anything is served or written.
   * @returns the pieces that were found by hashing all; undefined where they were known
   */
  openDisk(metainfo: Metainfo, store: PieceStore, watch: FileWatch, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** What is on the disk is known now. */
  checked(bitfield: Uint8Array): void
  verified(pieces: readonly PieceRange[]): void
  completed(): void
  failed(error: Error): void
}

export type WantedPieces = {
  /** By piece, 0 to 3 as of files; undefined: all alike. */
  priorities: Uint8Array | undefined
  /** In the order of the files. */
  sequential: boolean
  /** Of the files without a byte, those that are made when the rest is here. */
  isFileWanted(file: number): boolean
}

export type OpenSwarm = {
  infoHash: InfoHash
  name: string
  directory: string
  metainfo: Metainfo | undefined
  /** Undefined: what is on the disk is hashed. */
  verified: readonly PieceRange[] | undefined
  /** How its settled files must look. */
  stamps: readonly FileStampAt[]
  wanted: WantedPieces
  rates: Rates
  sources: TorrentSources
  /** Endpoints to dial at once, `host:port`, IPv6 in brackets. */
  peers: readonly string[]
  corruptPercent: number
  /** It was published a moment ago: peers are looked for. */
  isNew(): boolean
  bans: BanList
  /** Peers that reputation has on thin ice: on parole in every torrent. */
  onThinIce: ReadonlySet<PeerId>
  endpoints: KnownEndpoints
  events: SwarmEvents
}

export type SwarmStatus = {
  downloadedBytes: number
  uploadedBytes: number
  downloadBytesPerSecond: number
  uploadBytesPerSecond: number
  /** The disk was looked at. */
  isReady: boolean
  /** Every wanted piece is here. */
  isDone: boolean
}

/** One torrent while it is open. */
export interface Swarm {
  corruptPercent: number
  readonly status: SwarmStatus
  peers(): readonly TorrentPeer[]
  /** Dials a peer, unless it is banned or there are too many. @param endpoint `host:port`, IPv6 in brackets */
  connect(endpoint: string): void
  /** Talks over a connection that was made for this torrent, unless there are too many. */
  adopt(connection: MadeConnection): void
  /** What is under way of pieces that are not wanted any more is dropped. */
  want(wanted: WantedPieces): void
  limit(rates: Rates): void
  /** Where it finds peers from now on. */
  setSources(sources: TorrentSources): void
  /** What became of them; empty where it is not public. */
  sources(): readonly SourceStatus[]
  /** Closes the connections of peers that are admitted no more. */
  enforceAdmission(): void
  /** Closes the connections the ban list no longer allows. */
  enforceBans(): void
  /** These files have all their pieces now: how they look. */
  settle(files: readonly number[]): Promise<readonly FileStampAt[]>
  /** What is being written is finished; nothing is taken up any more. */
  close(): Promise<void>
}

/** Listens for peers and finds them, for all torrents of a node. */
export interface SwarmHost {
  /** @throws TorrentError `PORT_IN_USE` */
  start(signal: AbortSignal): Promise<void>
  /** TCP; 0 while it does not run. */
  readonly port: number
  readonly dht: { readonly port: number; readonly nodeCount: number }
  /** Messages and datagrams of peers that were refused since the start. */
  readonly rejectedMessages: number
  configure(limits: EngineLimits): void
  open(options: OpenSwarm): Swarm
  /**
   * Announces a seed that nobody has opened, and listens for peers that name it.
   * @param wake opens it; settles when peers can join, or not
   * @returns what ends that; undefined where this host has a torrent open or not at all
   */
  rest(infoHash: InfoHash, wake: () => Promise<unknown>): (() => void) | undefined
  /** Peers of it are wanted now: it is looked up ahead of others. */
  urge(infoHash: InfoHash): void
  /** Talks over a connection that a peer made for a torrent it will name. */
  accept(connection: MadeConnection): void
  /** Peers found in the Mainline DHT for this info hash. */
  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]>
  /** All swarms are closed by then. */
  close(): Promise<void>
}
