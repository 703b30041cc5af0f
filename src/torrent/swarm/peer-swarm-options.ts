import type { Clock, FileStampAt, Timers, TorrentSources } from '../../events/index.ts'
import type { EngineOptions, MadeConnection } from '../engine.ts'
import type { Metainfo, Sha1 } from '../metainfo.ts'
import type { PublicSources } from '../sources/public-sources.ts'
import type { OpenSwarm } from '../swarm.ts'
import type { PeerSwarm } from './peer-swarm.ts'
import type { SendBuffers } from './send-buffers.ts'
import type { TransferTurns } from './transfer-turns.ts'

// What an open torrent is given: what is known of it, and the ports to files, sockets and time.

/** The files of an open torrent. */
export interface PieceFiles {
  /** Bytes that follow each other in a piece, into `parts` one after the other. */
  read(index: number, offset: number, parts: readonly Uint8Array[]): Promise<void>
  write(index: number, piece: Uint8Array): Promise<void>
  createEmptyFiles(isWanted: (file: number) => boolean): Promise<void>
  settle(files: readonly number[]): Promise<readonly FileStampAt[]>
  /** What is being written is finished first. */
  close(): Promise<void>
}

export type PeerSwarmOptions = OpenSwarm & {
  identity: EngineOptions['identity']
  admits: NonNullable<EngineOptions['admits']>
  /** 40 hex digits. */
  ourPeerId: string
  clock: Clock
  timers: Timers
  sha1: Sha1
  /** sha-1 of a piece as hex, off the event loop. */
  hash(piece: Uint8Array): Promise<string>
  /** Checks an info dictionary that a peer sent. @throws TorrentError */
  checkInfo(info: Uint8Array): Promise<Metainfo>
  random(): number
  /** Of all torrents. */
  downloads: TransferTurns
  uploads: TransferTurns
  sendBuffers: SendBuffers
  /** Peers that are served at a time, besides one more that is tried. */
  uploadSlots(): number
  /** One more may be dialled. */
  hasRoom(): boolean
  /** TCP; 0 if nobody can connect. */
  ourPort(): number
  /**
   * Opens the files and looks at them.
   * @returns and the pieces that were found by hashing all, undefined where they were known
   */
  openFiles(
    metainfo: Metainfo,
    signal: AbortSignal,
    onChanged: (error: Error) => void,
  ): Promise<{ files: PieceFiles; found: Uint8Array | undefined }>
  /** Makes a connection; `joins` or `dialEnded` of the swarm follows. */
  dial(endpoint: string, swarm: PeerSwarm): void
  /** Talks over a connection that is there; `joins` follows, or nothing. */
  adopt(connection: MadeConnection, swarm: PeerSwarm): void
  onRejected(): void
  /** Peers from elsewhere, of a torrent that is public. */
  openSources(sources: TorrentSources, swarm: PeerSwarm): PublicSources
  /** Before anything else when it closes. */
  onClosed(): void
}
