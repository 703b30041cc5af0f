import {
  type Clock,
  type FileStampAt,
  type InfoHash,
  isNodeId,
  type NodeId,
  type PeerId,
  type Rates,
  type Timers,
  type TorrentSources,
} from '../../events/index.ts'
import { flipped, isCorrupted } from '../corruption.ts'
import { isBelieved, reachOf } from '../endpoint.ts'
import type { EngineOptions, MadeConnection, TorrentPeer } from '../engine.ts'
import { TorrentError } from '../engine.ts'
import { held } from '../held-callback.ts'
import { BLOCK_BYTES, checkInfo, type Metainfo, pieceBytes, pieceHash, type Sha1, TORRENT_FILE_BYTES_MAX } from '../metainfo.ts'
import { PieceJudge } from '../piece-judge.ts'
import { bitfieldOf, countBits, hasBit, setBit } from '../piece-ranges.ts'
import type { PublicSources, SourceStatus } from '../sources/public-sources.ts'
import type { OpenSwarm, Swarm, SwarmStatus, WantedPieces } from '../swarm.ts'
import { UnwillingPeers } from '../unwilling-peers.ts'
import type { Handshake } from '../wire/handshake.ts'
import { type NamedBlock, PIECE_HEADER_BYTES, putPieceHeader } from '../wire/messages.ts'
import { planUnchoked } from './choker.ts'
import { DialList } from './dial-list.ts'
import { METADATA, MetadataFetch, type MetadataMessage } from './metadata-fetch.ts'
import { Peer, type PeerLink, type PeerTorrent } from './peer.ts'
import { DEFAULT_PRIORITY, Picker, type Priority } from './picker.ts'
import { RateLimit } from './rate-limit.ts'
import { RateMeter } from './rate-meter.ts'

// One torrent while it is open: peers, what is asked of them and served to them, and what follows from it. Sockets, files
// and time are ports; nothing here waits for a peer.

/** A peer that must prove a key has this long. */
const PROOF_WAIT_MS = 5_000
const PEERS_MAX = 400
/** Connections that we open. */
const OUTBOUND_MAX = 55
/** Dials under way. */
const DIALS_MAX = 16
const TICK_MS = 1_000
const CHOKE_TICKS = 10
/** Ticks between two messages of peer exchange (BEP 11: a minute). */
const EXCHANGE_TICKS = 60
/** A peer that owes blocks and sends none for so long: they are asked of others. */
const SNUBBED_MS = 20_000
const SILENT_MS = 150_000
const KEEP_ALIVE_MS = 100_000
/** A peer whose info dictionary does not go on for so long is given up. */
const METADATA_STALLED_MS = 5_000
/** Peers that the info dictionary is taken from at a time. */
const METADATA_PEERS_MAX = 3
/** Pieces that are hashed and written; above this nothing is asked for. */
const UNWRITTEN_BYTES_MAX = 64 * 1024 * 1024
/** Read from the disk at once, and kept in a socket. */
const SERVED_AT_ONCE_BYTES = 512 * 1024
const UNSENT_BYTES_MAX = 1024 * 1024
const READS_PER_PEER_MAX = 2
/** Free memory of pieces that is kept. */
const POOL_BYTES_MAX = 16 * 1024 * 1024
/** Slots for peers are handed out again so soon after one is interested, or not any more: whatever a peer says, not more often. */
const RECHOKE_MS = 50

/** The files of an open torrent. */
export interface PieceFiles {
  read(index: number, offset: number, length: number): Promise<Uint8Array>
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
  random(): number
  /** Of all torrents. */
  uploads: RateLimit
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

export class PeerSwarm implements Swarm, PeerTorrent {
  readonly infoHash: InfoHash
  readonly identity: EngineOptions['identity']
  readonly ourPeerId: string
  corruptPercent: number
  info: Uint8Array | undefined
  readonly #options: PeerSwarmOptions
  readonly #peers = new Set<Peer>()
  readonly #joined = new Map<Peer, PeerId>()
  readonly #dials = new DialList()
  readonly #unwilling = new UnwillingPeers()
  readonly #judge: PieceJudge
  readonly #downloaded = new RateMeter()
  readonly #uploaded = new RateMeter()
  /** Of this torrent alone. */
  readonly downloads = new RateLimit()
  readonly #uploads = new RateLimit()
  readonly #closing = new AbortController()
  /** Pieces that blocks came of, and free memory for more. */
  readonly #begun = new Map<number, Uint8Array>()
  readonly #pool: Uint8Array[] = []
  /** Who sent how many blocks of pieces that have no verdict yet. */
  readonly #senders = new Map<number, Map<Peer, number>>()
  readonly #fetches = new Map<Peer, { fetch: MetadataFetch; at: number }>()
  readonly #works = new Set<Promise<void>>()
  #metainfo: Metainfo | undefined
  #files: PieceFiles | undefined
  #picker: Picker<Peer> | undefined
  #verified = new Uint8Array(0)
  /** Pieces that are not here, wanted or not. */
  #missing = 0
  #wanted: WantedPieces
  #sources: TorrentSources
  #publicSources: PublicSources | undefined
  /** It was complete when it was opened. */
  #wasComplete = false
  #pieceBlocks = 1
  /** Since slots were handed out last. */
  #freeSlots: number
  #unwrittenBytes = 0
  #dialling = 0
  #ticks = 0
  #cancelTick: () => void
  #cancelRechoke: (() => void) | undefined
  #isReady = false
  #closed = false

  constructor(options: PeerSwarmOptions) {
    this.#options = options
    const { infoHash, events, clock, timers, metainfo, sha1, peers } = options
    this.infoHash = infoHash
    this.identity = options.identity
    this.ourPeerId = options.ourPeerId
    this.corruptPercent = options.corruptPercent
    this.#wanted = options.wanted
    this.#freeSlots = options.uploadSlots()
    this.#sources = options.sources
    this.limit(options.rates)
    this.#judge = new PieceJudge(
      {
        ...{ sha1, clock, timers, onThinIce: options.onThinIce },
        expected: (index) => (this.#metainfo === undefined ? '' : pieceHash(this.#metainfo, index)),
      },
      {
        verified: (pieces) => events.verified(pieces),
        judged: (subject, good, bad) => events.judged(infoHash, subject, good, bad),
        suspected: (index, sources) => events.suspected(infoHash, index, sources),
        cancelRequests: (id) => {
          for (const peer of this.#peers) {
            if (peer.id !== id) continue
            peer.depth.distrust()
            this.#takeBack(peer)
          }
        },
        update: () => this.#askAll(),
      },
    )
    for (const endpoint of peers) this.#dials.urge(endpoint)
    this.#cancelTick = timers.after(TICK_MS, this.#tick)
    if (metainfo !== undefined) this.#open(metainfo)
    else timers.after(0, () => this.#dialMore())
    this.#openSources()
  }

  // Swarm

  get status(): SwarmStatus {
    const now = this.now()
    return {
      downloadedBytes: this.#downloaded.total,
      uploadedBytes: this.#uploaded.total,
      downloadBytesPerSecond: this.#downloaded.perSecond(now),
      uploadBytesPerSecond: this.#uploaded.perSecond(now),
      isReady: this.#isReady,
      isDone: this.#isDone,
    }
  }

  peers(): TorrentPeer[] {
    return [...this.#peers].map((peer) => peer.describe(this.#judge.onParole(peer.id)))
  }

  connect(endpoint: string): void {
    this.#dials.urge(endpoint)
    this.#dialMore()
  }

  /** A peer that was found, and need not be dialled at once. */
  found(endpoint: string): void {
    this.#dials.add(endpoint)
    this.#dialMore()
  }

  /** Peers on the word of strangers. */
  told(endpoints: readonly string[]): void {
    for (const endpoint of endpoints) this.#dials.addHearsay(endpoint)
    this.#dialMore()
  }

  adopt(connection: MadeConnection): void {
    if (this.takesPeers) this.#options.adopt(connection, this)
    else connection.destroy()
  }

  want(wanted: WantedPieces): void {
    this.#wanted = wanted
    const picker = this.#picker
    if (picker === undefined || this.#closed) return
    const wasDone = this.#isDone
    this.#tellWanted(picker)
    // What came of pieces that are not wanted any more.
    for (const index of [...this.#begun.keys()]) {
      if (!picker.isUntouched(index)) continue
      this.#judge.forget(index)
      this.#senders.delete(index)
      this.#free(index)
    }
    for (const peer of [...this.#peers]) this.#updateInterest(peer)
    if (this.#isDone && !wasDone) this.#done()
    else this.#dialMore()
  }

  limit({ downloadBytesPerSecond, uploadBytesPerSecond }: Rates): void {
    this.downloads.set(downloadBytesPerSecond)
    this.#uploads.set(uploadBytesPerSecond)
  }

  setSources(sources: TorrentSources): void {
    this.#sources = sources
    this.#closeSources()
    this.#openSources()
    this.enforceAdmission()
  }

  sources(): readonly SourceStatus[] {
    return this.#publicSources?.status() ?? []
  }

  #openSources(): void {
    if (!this.isPublic || this.#closed) return
    this.#publicSources = this.#options.openSources(this.#sources, this)
    if (this.#isReady && this.#metainfo !== undefined) this.#publicSources.ready(this.#metainfo)
  }

  #closeSources(): void {
    const closing = this.#publicSources?.close()
    this.#publicSources = undefined
    if (closing !== undefined) this.#track(closing)
  }

  /** Of what is wanted, bytes that are not here. */
  get leftBytes(): number {
    const picker = this.#picker
    // A magnet link lacks something, and nobody knows how much.
    if (this.#metainfo === undefined || picker === undefined) return 1
    return Math.min(this.#metainfo.sizeBytes, picker.wantedLeft * this.#metainfo.pieceLengthBytes)
  }

  enforceAdmission(): void {
    for (const peer of [...this.#peers]) {
      if (peer.identified && !this.#admits(peer.key)) peer.close('not admitted to this network')
    }
  }

  enforceBans(): void {
    for (const peer of [...this.#peers]) this.#enforceBans(peer)
  }

  async settle(files: readonly number[]): Promise<readonly FileStampAt[]> {
    try {
      return (await this.#files?.settle(files)) ?? []
    } catch (error) {
      this.#fail(error)
      return []
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTick()
    this.#cancelRechoke?.()
    this.#options.onClosed()
    this.#closeSources()
    this.#closing.abort(new Error('the torrent is closed'))
    for (const peer of [...this.#peers]) peer.close('the torrent is closed')
    while (this.#works.size > 0) await Promise.allSettled(this.#works)
    await this.#files?.close()
    this.#judge.close()
  }

  // What the host tells

  /** It is open, and there is room for one more. */
  get takesPeers(): boolean {
    return !this.#closed && (this.#isReady || this.#metainfo === undefined) && this.#peers.size < PEERS_MAX
  }

  /** @returns the peer that the link's messages are for; undefined, and the link is closed, if it is not taken */
  joins(link: PeerLink, handshake: Handshake, peerId: string): Peer | undefined {
    const { endpoints, bans, timers } = this.#options
    if (peerId === this.ourPeerId || !this.takesPeers) {
      const peer = new Peer(this, link, handshake, peerId)
      if (peerId === this.ourPeerId && link.outbound) endpoints.isSelf(peer.endpoint)
      peer.close(peerId === this.ourPeerId ? 'connected to itself' : 'no peers are taken now')
      return undefined
    }
    const peer = new Peer(this, link, handshake, peerId)
    this.#peers.add(peer)
    this.#picker?.join(peer, peer.link.prefersRuns)
    const needsProof = () => bans.needsProof(link.host) || !this.#admits(undefined)
    if (needsProof()) {
      timers.after(PROOF_WAIT_MS, () => {
        if (peer.key === undefined && !peer.closed && needsProof()) peer.close('no proof of an identity')
      })
    }
    peer.start(this.#isReady ? this.#verified : undefined, this.#isReady && this.#missing === 0)
    return peer
  }

  /** What came is through; more of the same peer is asked for in one go. */
  chunkEnds(peer: Peer): void {
    if (peer.closed) return
    // A message that keeps a connection alive says nothing else.
    peer.lastHeardAt = this.now()
    this.#ask(peer)
  }

  /** The link has room. */
  drained(peer: Peer): void {
    this.#serve(peer)
  }

  left(peer: Peer): void {
    if (peer.closed) return
    peer.closed = true
    this.#peers.delete(peer)
    this.#fetches.delete(peer)
    const now = this.now()
    if (peer.link.outbound) {
      const exchanged = peer.downloaded.total + peer.uploaded.total > 0
      this.#dials.ended(peer.endpoint, true, now)
      if (!this.#closed) this.#unwilling.ended(peer.endpoint, now - peer.since, exchanged, now)
    }
    this.#picker?.leave(peer)
    this.#judge.left(peer.id)
    const joined = this.#joined.get(peer)
    this.#joined.delete(peer)
    if (joined !== undefined) this.#options.events.peer(this.infoHash, 'left', joined)
    if (!this.#closed) this.#askAll()
  }

  dialEnded(endpoint: string, wasUp: boolean): void {
    this.#dialling--
    if (!wasUp) this.#dials.ended(endpoint, false, this.now())
    this.#dialMore()
  }

  // PeerTorrent

  get isPublic(): boolean {
    return this.#sources.public && this.#metainfo?.isPrivate !== true
  }

  get ourPort(): number {
    return this.#options.ourPort()
  }

  exchanged(peer: Peer, endpoints: readonly string[]): void {
    const from = reachOf(peer.link.host)
    this.told(endpoints.filter((endpoint) => isBelieved(endpoint, from)))
  }

  get pieceCount(): number | undefined {
    return this.#metainfo?.pieceCount
  }

  pieceBytes(index: number): number {
    return this.#metainfo === undefined ? 0 : pieceBytes(this.#metainfo, index)
  }

  now(): number {
    return this.#options.clock.now()
  }

  identified(peer: Peer): void {
    const { endpoints, events } = this.#options
    if (peer.link.outbound) endpoints.learn(peer.endpoint, peer.id)
    if (!this.#admits(peer.key)) {
      peer.close('not admitted to this network')
      return
    }
    if (this.#enforceBans(peer) || this.#isDuplicate(peer)) return
    this.#joined.set(peer, peer.id)
    events.peer(this.infoHash, 'joined', peer.id)
    this.#rechokeSoon()
    this.#ask(peer)
  }

  chokes(peer: Peer): void {
    // BEP 6: what is not rejected one by one is dropped.
    if (!peer.hasFast) this.#picker?.releaseAll(peer)
  }

  unchokes(peer: Peer): void {
    this.#ask(peer)
  }

  interestChanged(peer: Peer): void {
    this.#rechokeSoon()
    // What it asks for before it has a slot is turned down: where there is one, it has it at once.
    if (this.#freeSlots <= 0 || !peer.isInterested || !peer.amChoking || peer.isSeed || !this.#isWelcome(peer)) return
    this.#freeSlots--
    peer.choke(false)
  }

  has(peer: Peer, index: number): void {
    this.#picker?.has(peer, index)
    this.#updateInterest(peer)
  }

  lost(peer: Peer, index: number): void {
    const lost = this.#picker?.lost(peer, index) ?? []
    peer.cancel(lost)
    this.#updateInterest(peer)
  }

  hasAnew(peer: Peer): void {
    if (this.#picker === undefined) return
    const lost = this.#tellPicker(this.#picker, peer)
    peer.cancel(lost)
    this.#updateInterest(peer)
    this.#rechokeSoon()
  }

  block(peer: Peer, index: number, offset: number, bytes: Uint8Array): void {
    const picker = this.#picker
    const { length } = bytes
    const now = this.now()
    peer.lastBlockAt = now
    peer.downloaded.add(length, now)
    this.#downloaded.add(length, now)
    if (picker === undefined || this.#closed) return
    const { what, complete, others } = picker.received(peer, index, offset, length)
    if (what === 'unwanted') return
    peer.isSnubbed = false
    peer.depth.received()
    this.#sent(peer, index)
    for (const other of others) other.cancel([{ index, offset, length }])
    const piece = this.#memoryOf(index)
    piece.set(bytes, offset)
    this.#judge.accept(index, offset, peer.id, piece.subarray(offset, offset + length))
    if (complete) this.#check(index, piece)
  }

  rejected(peer: Peer, { index, offset }: NamedBlock): void {
    this.#picker?.released(peer, index, offset)
  }

  requested(peer: Peer): void {
    this.#serve(peer)
  }

  extended(peer: Peer): void {
    this.#fetchMetadata()
    // It was told nothing of the metainfo if that came before its own handshake.
    if (peer.closed) return
    this.#ask(peer)
  }

  metadata(peer: Peer, { type, piece, block }: MetadataMessage): void {
    const fetching = this.#fetches.get(peer)
    if (fetching === undefined) return
    if (type === METADATA.reject) {
      this.#fetches.delete(peer)
      this.#unfetched.add(peer)
      this.#fetchMetadata()
      return
    }
    fetching.at = this.now()
    if (fetching.fetch.data(piece, block)) this.#metadataCame(peer, fetching.fetch.bytes)
    else peer.askMetadata(fetching.fetch.ask())
  }

  violated(peer: Peer, what: string): void {
    this.#options.onRejected()
    peer.close(what)
  }

  // The metainfo

  /** Peers that said no to metadata, stalled, or sent what does not hash right. */
  readonly #unfetched = new WeakSet<Peer>()

  #fetchMetadata(): void {
    if (this.#metainfo !== undefined || this.#closed) return
    for (const peer of this.#peers) {
      if (this.#fetches.size >= METADATA_PEERS_MAX) return
      const bytes = peer.metadataBytes
      if (bytes === undefined || bytes > TORRENT_FILE_BYTES_MAX || !peer.sendsMetadata) continue
      if (this.#fetches.has(peer) || this.#unfetched.has(peer)) continue
      const fetch = new MetadataFetch(bytes)
      this.#fetches.set(peer, { fetch, at: this.now() })
      peer.askMetadata(fetch.ask())
    }
  }

  #metadataCame(peer: Peer, info: Uint8Array): void {
    this.#fetches.delete(peer)
    const { sha1, events } = this.#options
    if (sha1([info]) !== this.infoHash) {
      this.#unfetched.add(peer)
      this.violated(peer, 'metadata that does not match its hash')
      this.#fetchMetadata()
      return
    }
    this.#fetches.clear()
    try {
      const metainfo = checkInfo(info, sha1)
      events.described(metainfo)
      this.#open(metainfo)
    } catch (error) {
      this.#fail(error)
    }
  }

  #open(metainfo: Metainfo): void {
    this.#metainfo = metainfo
    // Only now it is known that it is private.
    if (!this.isPublic) this.#closeSources()
    this.#pieceBlocks = Math.ceil(metainfo.pieceLengthBytes / BLOCK_BYTES)
    this.info = infoOf(metainfo)
    for (const peer of [...this.#peers]) {
      const wrong = peer.metainfoKnown(metainfo.pieceCount)
      if (wrong === undefined) peer.sayMetadata()
      else this.violated(peer, wrong)
    }
    const opening = this.#options
      .openFiles(metainfo, this.#closing.signal, (error) => this.#fail(error))
      .then(
        ({ files, found }) => {
          this.#files = files
          if (!this.#closed) this.#ready(metainfo, found ?? bitfieldOf(this.#options.verified ?? [], metainfo.pieceCount))
        },
        (error: unknown) => this.#fail(error),
      )
    this.#track(opening)
  }

  #ready(metainfo: Metainfo, verified: Uint8Array): void {
    const { pieceCount } = metainfo
    const { events, random } = this.#options
    this.#verified = verified.slice()
    this.#missing = pieceCount - countBits(verified)
    const picker = new Picker<Peer>({
      ...{ pieceCount, pieceBytes: (index) => pieceBytes(metainfo, index), random },
      dropped: (index) => this.#forget(index),
    })
    for (let index = 0; index < pieceCount; index++) if (hasBit(verified, index)) picker.setVerified(index)
    this.#tellWanted(picker)
    this.#picker = picker
    this.#isReady = true
    this.#judge.flush()
    events.checked(verified)
    for (const peer of [...this.#peers]) {
      picker.join(peer, peer.link.prefersRuns)
      this.#tellPicker(picker, peer)
      for (let index = 0; index < pieceCount; index++) if (hasBit(verified, index)) peer.have(index)
      this.#updateInterest(peer)
    }
    this.#wasComplete = this.#isDone
    if (this.#isDone) this.#done()
    this.#publicSources?.ready(metainfo)
    this.#dialMore()
  }

  /** Every wanted piece is here. */
  get #isDone(): boolean {
    return this.#isReady && this.#picker?.wantedLeft === 0
  }

  #tellWanted(picker: Picker<Peer>): void {
    const { priorities, sequential } = this.#wanted
    picker.sequential = sequential
    for (let index = 0; index < (this.#metainfo?.pieceCount ?? 0); index++) {
      const priority = (priorities === undefined ? DEFAULT_PRIORITY : (priorities[index] ?? 0)) as Priority
      for (const [peer, blocks] of picker.setPriority(index, priority)) peer.cancel(blocks)
    }
  }

  // Asking

  /** @returns blocks that the peer owed of pieces it does not have any more */
  #tellPicker(picker: Picker<Peer>, peer: Peer): readonly NamedBlock[] {
    return peer.hasEverything ? picker.hasAll(peer) : picker.hasBits(peer, peer.bits)
  }

  #updateInterest(peer: Peer): void {
    const picker = this.#picker
    if (picker === undefined || peer.closed) return
    peer.interest(picker.isInteresting(peer))
    this.#ask(peer)
  }

  #askAll(): void {
    for (const peer of this.#peers) this.#ask(peer)
  }

  #ask(peer: Peer): void {
    const picker = this.#picker
    if (picker === undefined || this.#isDone || this.#closed || peer.closed) return
    if (peer.isChoking || !peer.amInterested || this.#unwrittenBytes > UNWRITTEN_BYTES_MAX) return
    const depth = peer.depth.of(peer.ext?.requestsMax ?? depthUnnamed, this.#pieceBlocks)
    const owed = picker.owed(peer)
    // A few at a time would be many small writes.
    if (owed > 0 && depth - owed < depth / 4) return
    if (depth <= owed || !this.#isWelcome(peer)) return
    if (owed === 0) peer.lastBlockAt = this.now()
    peer.request(picker.pick(peer, depth - owed, (index) => this.#mayAsk(peer, index)))
  }

  #mayAsk(peer: Peer, index: number): boolean {
    return this.#judge.mayAsk(peer.id, index, () => this.#untouched(index))
  }

  /** True if no block of this piece is owed or kept; kept blocks that nobody adds to are dropped for it. */
  #untouched(index: number): boolean {
    const picker = this.#picker
    if (picker === undefined) return false
    if (picker.isUntouched(index)) return true
    if (!picker.drop(index)) return false
    this.#forget(index)
    return true
  }

  /** What was kept of a piece that has no verdict. */
  #forget(index: number): void {
    this.#judge.forget(index)
    this.#senders.delete(index)
    this.#free(index)
  }

  #takeBack(peer: Peer): void {
    peer.cancel(this.#picker?.releaseAll(peer) ?? [])
  }

  #memoryOf(index: number): Uint8Array {
    let piece = this.#begun.get(index)
    if (piece === undefined) {
      const bytes = this.pieceBytes(index)
      // Shared, so that a thread hashes it where it stands. The first piece is as long as any: of a short torrent it may be far
      // shorter than the piece length.
      const free = this.#pool.pop() ?? new Uint8Array(new SharedArrayBuffer(this.pieceBytes(0)))
      piece = free.length === bytes ? free : free.subarray(0, bytes)
      this.#begun.set(index, piece)
    }
    return piece
  }

  #free(index: number): void {
    const piece = this.#begun.get(index)
    this.#begun.delete(index)
    if (piece !== undefined) this.#keep(piece)
  }

  /** Nothing points into it any more. */
  #keep(piece: Uint8Array): void {
    const whole = new Uint8Array(piece.buffer)
    if ((this.#pool.length + 1) * whole.length <= POOL_BYTES_MAX) this.#pool.push(whole)
  }

  // Checking

  #check(index: number, piece: Uint8Array): void {
    this.#begun.delete(index)
    for (const [peer, blocks] of this.#senders.get(index) ?? []) peer.depth.completes(blocks)
    this.#unwrittenBytes += piece.length
    const checking = this.#hashAndWrite(index, piece)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#unwrittenBytes -= piece.length
        this.#keep(piece)
        if (!this.#closed && this.#unwrittenBytes <= UNWRITTEN_BYTES_MAX) this.#askAll()
      })
    this.#track(checking)
  }

  async #hashAndWrite(index: number, piece: Uint8Array): Promise<void> {
    const [files, metainfo] = [this.#files, this.#metainfo]
    if (files === undefined || metainfo === undefined) return
    const hash = await this.#options.hash(piece)
    // Whoever opens it next has its files.
    if (this.#closed) return
    if (hash === pieceHash(metainfo, index)) {
      await files.write(index, piece)
      this.#passed(index)
      return
    }
    this.#judge.failed(index)
    this.#judged(index, false)
    this.#picker?.failed(index)
  }

  #sent(peer: Peer, index: number): void {
    const senders = this.#senders.get(index)
    if (senders === undefined) this.#senders.set(index, new Map([[peer, 1]]))
    else senders.set(peer, (senders.get(peer) ?? 0) + 1)
  }

  #judged(index: number, isGood: boolean): void {
    for (const [peer, blocks] of this.#senders.get(index) ?? []) peer.depth.judged(blocks, isGood)
    this.#senders.delete(index)
  }

  #passed(index: number): void {
    setBit(this.#verified, index)
    this.#missing--
    this.#picker?.setVerified(index)
    this.#judge.passed(index)
    this.#judged(index, true)
    for (const peer of [...this.#peers]) {
      if (!peer.hasPiece(index)) peer.have(index)
      else if (peer.amInterested && this.#picker?.isInteresting(peer) !== true) peer.interest(false)
    }
    if (this.#isDone) this.#done()
  }

  #done(): void {
    const { events } = this.#options
    this.#judge.flush()
    this.#pool.length = 0
    for (const peer of this.#peers) peer.interest(false)
    const ending = (this.#files?.createEmptyFiles(this.#wanted.isFileWanted) ?? Promise.resolve()).catch((error: unknown) =>
      this.#fail(error),
    )
    this.#track(ending)
    if (!this.#wasComplete) this.#publicSources?.completed()
    events.completed()
  }

  // Serving

  #serve(peer: Peer): void {
    const { timers } = this.#options
    const limits = [this.#options.uploads, this.#uploads]
    while (peer.wanted.size > 0 && peer.reading < READS_PER_PEER_MAX && peer.link.unsentBytes < UNSENT_BYTES_MAX) {
      if (peer.closed || this.#closed) return
      const waitMs = RateLimit.waitMs(limits, this.now())
      if (waitMs > 0) {
        timers.after(waitMs, () => this.#serve(peer))
        return
      }
      const run = peer.wanted.takeRun(SERVED_AT_ONCE_BYTES)
      const [first] = run
      if (first === undefined) return
      if (this.#files === undefined || !this.#isReady || !hasBit(this.#verified, first.index) || !this.#isWelcome(peer)) {
        peer.reject(run)
        continue
      }
      for (const each of limits) each.take(lengthOf(run), this.now())
      this.#track(this.#serveRun(peer, this.#files, first, run))
    }
  }

  async #serveRun(peer: Peer, files: PieceFiles, first: NamedBlock, run: readonly NamedBlock[]): Promise<void> {
    peer.reading++
    try {
      const bytes = await files.read(first.index, first.offset, lengthOf(run))
      if (peer.closed) return
      // BEP 6: a choke drops what is not answered yet.
      if (peer.amChoking) peer.reject(run)
      else this.#sendRun(peer, first, run, bytes)
    } catch {
      // The watch over its files tells what is wrong with them.
      peer.reject(run)
    } finally {
      peer.reading--
      this.#serve(peer)
    }
  }

  #sendRun(peer: Peer, { index, offset: from }: NamedBlock, run: readonly NamedBlock[], bytes: Uint8Array): void {
    const framed = new Uint8Array(bytes.length + run.length * PIECE_HEADER_BYTES)
    const isBad = this.corruptPercent > 0 && isCorrupted(this.identity.id, index, this.corruptPercent)
    let at = 0
    for (const block of run) {
      const data = bytes.subarray(block.offset - from, block.offset - from + block.length)
      putPieceHeader(framed, at, block)
      framed.set(isBad ? flipped(data) : data, at + PIECE_HEADER_BYTES)
      at += PIECE_HEADER_BYTES + block.length
    }
    const now = this.now()
    peer.uploaded.add(bytes.length, now)
    this.#uploaded.add(bytes.length, now)
    peer.send(framed)
  }

  #rechokeSoon(): void {
    this.#cancelRechoke ??= this.#options.timers.after(RECHOKE_MS, this.#rechoke)
  }

  readonly #rechoke = held(
    () => this.#onRechoke(),
    (reason) => this.#fail(new Error(reason)),
  )

  #onRechoke(): void {
    this.#cancelRechoke?.()
    this.#cancelRechoke = undefined
    if (this.#closed) return
    const isSeeding = this.#isDone
    const slots = this.#options.uploadSlots()
    const peers = [...this.#peers].filter((peer) => this.#isWelcome(peer))
    const now = this.now()
    const unchoked = planUnchoked(
      peers.map((peer) => ({
        key: peer,
        isInterested: peer.isInterested && !peer.isSeed,
        isUnchoked: !peer.amChoking,
        isSnubbed: peer.isSnubbed,
        waitsSince: peer.waitsSince,
        receivedPerSecond: peer.downloaded.perSecond(now),
        sentPerSecond: peer.uploaded.perSecond(now),
      })),
      { slots, isSeeding, round: Math.floor(this.#ticks / CHOKE_TICKS), random: this.#options.random },
    )
    this.#freeSlots = slots - unchoked.size
    for (const peer of peers) peer.choke(!unchoked.has(peer))
  }

  // Whom

  /** A public torrent is for all that prove no key; one that was put out of the network stays out. */
  #admits(key: NodeId | undefined): boolean {
    return (key === undefined && this.isPublic) || this.#options.admits(key)
  }

  /** It has said who it is where that matters. Nothing is asked of or served to others. */
  #isWelcome(peer: Peer): boolean {
    const { bans } = this.#options
    if (!this.#admits(peer.key)) return false
    return peer.key !== undefined || (!bans.needsProof(peer.link.host) && peer.mayStayUnproven)
  }

  /** @returns true if the connection was closed */
  #enforceBans(peer: Peer): boolean {
    const { bans } = this.#options
    if (peer.key !== undefined && bans.has(peer.key)) bans.seen(peer.key, peer.link.host)
    else if (peer.key !== undefined || !peer.identified || !bans.needsProof(peer.link.host)) return false
    peer.close('banned')
    return true
  }

  /**
   * Two nodes that find each other at once dial each other. Both keep the connection that the lower key opened.
   * @returns true if this one was closed
   */
  #isDuplicate(peer: Peer): boolean {
    const { key } = peer
    if (key === undefined) return false
    for (const other of [...this.#peers]) {
      if (other === peer || other.key !== key) continue
      const oursStays = this.identity.id < key
      // Another peer id is another process: the node was started again, and the old connection is a ghost.
      const isGhost = other.peerId !== peer.peerId || other.link.outbound === peer.link.outbound
      const loser = !isGhost && other.link.outbound === oursStays ? peer : other
      loser.close('connected already')
      if (loser === peer) return true
    }
    return false
  }

  #mayDial(endpoint: string): boolean {
    const { endpoints, bans } = this.#options
    const id = endpoints.peerAt(endpoint)
    if (id !== undefined && isNodeId(id)) for (const peer of this.#peers) if (peer.identified && peer.id === id) return false
    return endpoints.mayDial(endpoint, bans) && this.#unwilling.mayDial(endpoint, this.now())
  }

  #dialMore(): void {
    if (!this.takesPeers || !this.#options.hasRoom()) return
    let outbound = this.#dialling
    for (const { link } of this.#peers) if (link.outbound) outbound++
    const room = Math.min(OUTBOUND_MAX - outbound, DIALS_MAX - this.#dialling)
    for (const endpoint of this.#dials.next(room, this.now(), (each) => this.#mayDial(each))) {
      this.#dialling++
      this.#options.dial(endpoint, this)
    }
  }

  // Time

  /** What it throws, as any timer here, stops this torrent with a problem, and nothing else. */
  readonly #tick = held(
    () => this.#onTick(),
    (reason) => this.#fail(new Error(reason)),
  )

  #onTick(): void {
    this.#cancelTick = this.#options.timers.after(TICK_MS, this.#tick)
    this.#ticks++
    const now = this.now()
    for (const peer of [...this.#peers]) {
      peer.depth.tick(peer.downloaded.perSecond(now))
      if (now - peer.lastHeardAt > SILENT_MS) peer.close('silent')
      else if (now - peer.lastSentAt > KEEP_ALIVE_MS) peer.keepAlive()
      if ((this.#picker?.owed(peer) ?? 0) > 0 && now - peer.lastBlockAt > SNUBBED_MS) {
        peer.isSnubbed = true
        peer.depth.stalled()
        this.#takeBack(peer)
      }
    }
    for (const [peer, { at }] of this.#fetches) {
      if (now - at <= METADATA_STALLED_MS) continue
      this.#fetches.delete(peer)
      this.#unfetched.add(peer)
    }
    this.#fetchMetadata()
    if (this.#ticks % EXCHANGE_TICKS === 0 && this.isPublic) this.#exchange()
    if (this.#ticks % CHOKE_TICKS === 0) this.#rechoke()
    this.#askAll()
    this.#dialMore()
  }

  /** Those that proved a key of the network are named to nobody. */
  #exchange(): void {
    const endpoints = [...this.#peers].flatMap((peer) => (peer.key === undefined ? (peer.listeningAt ?? []) : []))
    for (const peer of this.#peers) if (peer.key === undefined) peer.exchange(endpoints)
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#options.events.failed(error instanceof Error ? error : new TorrentError('DISK', String(error)))
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#works.delete(tracked))
    this.#works.add(tracked)
  }
}

/** Before the peer's own handshake says how many it takes. */
const depthUnnamed = 250

const lengthOf = (run: readonly NamedBlock[]): number => {
  let bytes = 0
  for (const { length } of run) bytes += length
  return bytes
}

/** The torrent file was reduced to `d4:info` ... `e`. */
const infoOf = ({ torrentFile }: Metainfo): Uint8Array => torrentFile.subarray('d4:info'.length, torrentFile.length - 1)
