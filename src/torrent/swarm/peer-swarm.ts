import type { FileStampAt, InfoHash, PeerId, Rates, TorrentSources } from '../../events/index.ts'
import { isCorrupted } from '../corruption.ts'
import { isBelieved, reachOf } from '../endpoint.ts'
import type { EngineOptions, MadeConnection, TorrentPeer } from '../engine.ts'
import { TorrentError } from '../engine.ts'
import { held } from '../held-callback.ts'
import { BLOCK_BYTES, type Metainfo, pieceBytes, pieceHash } from '../metainfo.ts'
import { PieceJudge } from '../piece-judge.ts'
import { bitfieldOf, countBits, hasBit, setBit } from '../piece-ranges.ts'
import type { PublicSources, SourceStatus } from '../sources/public-sources.ts'
import type { Swarm, SwarmStatus, WantedPieces } from '../swarm.ts'
import type { Handshake } from '../wire/handshake.ts'
import type { NamedBlock } from '../wire/messages.ts'
import { Asking } from './asking.ts'
import { Dialling } from './dialling.ts'
import type { MetadataMessage } from './metadata-fetch.ts'
import { MetadataFetches } from './metadata-fetches.ts'
import { Peer, type PeerLink, type PeerTorrent } from './peer.ts'
import { PeerAdmission } from './peer-admission.ts'
import type { PeerSwarmOptions, PieceFiles } from './peer-swarm-options.ts'
import { DEFAULT_PRIORITY, Picker, type Priority } from './picker.ts'
import { PieceChecks } from './piece-checks.ts'
import { RateMeter } from './rate-meter.ts'
import type { TransferFlow } from './transfer-turns.ts'
import { UploadSlots } from './upload-slots.ts'
import { Uploads } from './uploads.ts'

// One torrent while it is open: peers, what is asked of them and served to them, and what follows from it. Sockets, files
// and time are ports; nothing here waits for a peer.

/** A peer that must prove a key has this long. */
const PROOF_WAIT_MS = 5_000
const PEERS_MAX = 400
const TICK_MS = 1_000
const CHOKE_TICKS = 10
/** Ticks between two messages of peer exchange (BEP 11: a minute). */
const EXCHANGE_TICKS = 60
/** A peer that owes blocks and sends none for so long: they are asked of others. */
const SNUBBED_MS = 20_000
/** Pieces that one peer alone has give way to others once it has sent no block for this long. */
const GIVES_NOTHING_MS = 60_000
const SILENT_MS = 150_000
const KEEP_ALIVE_MS = 100_000

export type { PeerSwarmOptions, PieceFiles } from './peer-swarm-options.ts'

export class PeerSwarm implements Swarm, PeerTorrent {
  readonly infoHash: InfoHash
  readonly identity: EngineOptions['identity']
  readonly ourPeerId: string
  corruptPercent: number
  info: Uint8Array | undefined
  readonly #options: PeerSwarmOptions
  readonly #peers = new Set<Peer>()
  readonly #joined = new Map<Peer, PeerId>()
  readonly #dialling: Dialling
  readonly #judge: PieceJudge
  readonly #downloaded = new RateMeter()
  readonly #uploaded = new RateMeter()
  /** The share of this torrent in what is read. */
  readonly downloads: TransferFlow
  readonly #uploadFlow: TransferFlow
  readonly #uploads: Uploads
  readonly #closing = new AbortController()
  readonly #checks: PieceChecks
  readonly #admission: PeerAdmission
  readonly #slots: UploadSlots
  readonly #fetches: MetadataFetches
  readonly #asking: Asking
  readonly #works = new Set<Promise<void>>()
  #metainfo: Metainfo | undefined
  #files: PieceFiles | undefined
  #verified = new Uint8Array(0)
  /** Pieces that are not here, wanted or not. */
  #missing = 0
  #wanted: WantedPieces
  #sources: TorrentSources
  #publicSources: PublicSources | undefined
  /** It was complete when it was opened. */
  #wasComplete = false
  #ticks = 0
  #cancelTick: () => void
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
    this.#sources = options.sources
    this.downloads = options.downloads.flow()
    this.#uploadFlow = options.uploads.flow()
    this.limit(options.rates)
    this.#admission = new PeerAdmission({
      ...{ identity: options.identity, admits: options.admits, bans: options.bans, endpoints: options.endpoints },
      ...{ isPublic: () => this.isPublic, peers: () => this.#peers },
    })
    this.#dialling = new Dialling({
      now: () => this.now(),
      hasRoom: () => this.takesPeers && options.hasRoom(),
      mayDial: (endpoint) => this.#admission.mayDial(endpoint),
      outbound: () => [...this.#peers].filter(({ link }) => link.outbound).length,
      dial: (endpoint) => options.dial(endpoint, this),
    })
    for (const endpoint of peers) this.#dialling.urge(endpoint)
    this.#slots = new UploadSlots({
      ...{ timers, random: options.random, now: () => this.now(), slots: options.uploadSlots },
      ...{
        welcome: () => [...this.#peers].filter((peer) => this.#isWelcome(peer)),
        isWelcome: (peer) => this.#isWelcome(peer),
      },
      isSeeding: () => this.#isDone,
      failed: (reason) => this.#fail(new Error(reason)),
    })
    this.#fetches = new MetadataFetches({
      ...{ now: () => this.now(), peers: () => this.#peers, isRight: (info) => sha1([info]) === infoHash },
      fetched: (info) => this.#track(this.#described(info)),
      violated: (peer, what) => this.violated(peer, what),
    })
    this.#checks = new PieceChecks({
      ...{ pieceBytes: (index) => this.pieceBytes(index), expected: (index) => this.#hashOf(index), hash: options.hash },
      write: async (index, piece) => this.#files?.write(index, piece),
      passed: (index) => this.#passed(index),
      failed: (index) => {
        this.#judge.failed(index)
        this.#asking.picker?.failed(index)
      },
      problem: (error) => this.#fail(error),
      roomier: () => this.#asking.askAll(),
      track: (work) => this.#track(work),
    })
    this.#uploads = new Uploads({
      ...{ buffers: options.sendBuffers, flow: this.#uploadFlow, now: () => this.now() },
      mayServe: (peer, index) => !this.#closed && this.#isReady && hasBit(this.#verified, index) && this.#isWelcome(peer),
      read: async (index, offset, parts) => this.#files?.read(index, offset, parts),
      isSpoiled: (index) => this.corruptPercent > 0 && isCorrupted(this.identity.id, index, this.corruptPercent),
      sent: (bytes) => this.#uploaded.add(bytes, this.now()),
      problem: (error) => this.#fail(error),
      track: (work) => this.#track(work),
    })
    this.#judge = new PieceJudge(
      {
        ...{ sha1, clock, timers, onThinIce: options.onThinIce },
        expected: (index) => this.#hashOf(index),
      },
      {
        verified: (pieces) => events.verified(pieces),
        judged: (subject, good, bad) => events.judged(infoHash, subject, good, bad),
        suspected: (index, sources) => events.suspected(infoHash, index, sources),
        cancelRequests: (id) => {
          for (const peer of this.#peers) {
            if (peer.id !== id) continue
            peer.depth.distrust()
            this.#asking.takeBack(peer)
          }
        },
        update: () => this.#asking.askAll(),
      },
    )
    this.#asking = new Asking({
      ...{ peers: this.#peers, judge: this.#judge, checks: this.#checks, now: () => this.now() },
      isOver: () => this.#isDone || this.#closed,
      isWelcome: (peer) => this.#isWelcome(peer),
    })
    this.#cancelTick = timers.after(TICK_MS, this.#tick)
    if (metainfo !== undefined) this.#open(metainfo)
    else timers.after(0, () => this.#dialling.goOn())
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
    this.#dialling.urge(endpoint)
    this.#dialling.goOn()
  }

  /** A peer that was found, and need not be dialled at once. */
  found(endpoint: string): void {
    this.#dialling.found(endpoint)
    this.#dialling.goOn()
  }

  /** Peers on the word of strangers. */
  told(endpoints: readonly string[]): void {
    this.#dialling.told(endpoints)
    this.#dialling.goOn()
  }

  adopt(connection: MadeConnection): void {
    if (this.takesPeers) this.#options.adopt(connection, this)
    else connection.destroy()
  }

  want(wanted: WantedPieces): void {
    this.#wanted = wanted
    const picker = this.#asking.picker
    if (picker === undefined || this.#closed) return
    const wasDone = this.#isDone
    this.#tellWanted(picker)
    // What came of pieces that are not wanted any more.
    for (const index of [...this.#checks.begun]) if (picker.isUntouched(index)) this.#asking.forget(index)
    for (const peer of [...this.#peers]) this.#asking.updateInterest(peer)
    if (this.#isDone && !wasDone) this.#done()
    else this.#dialling.goOn()
  }

  limit({ downloadBytesPerSecond, uploadBytesPerSecond }: Rates): void {
    this.downloads.own.set(downloadBytesPerSecond)
    this.#uploadFlow.own.set(uploadBytesPerSecond)
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
    const picker = this.#asking.picker
    // A magnet link lacks something, and nobody knows how much.
    if (this.#metainfo === undefined || picker === undefined) return 1
    return Math.min(this.#metainfo.sizeBytes, picker.wantedLeft * this.#metainfo.pieceLengthBytes)
  }

  enforceAdmission(): void {
    this.#admission.enforce()
  }

  enforceBans(): void {
    this.#admission.enforce()
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
    this.#slots.close()
    this.#checks.close()
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
    const { endpoints, timers } = this.#options
    if (peerId === this.ourPeerId || !this.takesPeers) {
      const peer = new Peer(this, link, handshake, peerId)
      if (peerId === this.ourPeerId && link.outbound) endpoints.isSelf(peer.endpoint)
      peer.close(peerId === this.ourPeerId ? 'connected to itself' : 'no peers are taken now')
      return undefined
    }
    const peer = new Peer(this, link, handshake, peerId)
    this.#peers.add(peer)
    this.#asking.picker?.join(peer, peer.link.prefersRuns)
    const needsProof = () => this.#admission.needsProof(link.host)
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
    this.#asking.ask(peer)
    this.#uploads.serve(peer)
  }

  /** The link has room. */
  drained(peer: Peer): void {
    this.#uploads.serve(peer)
  }

  left(peer: Peer): void {
    if (peer.closed) return
    peer.closed = true
    this.#peers.delete(peer)
    this.#fetches.left(peer)
    this.#uploads.left(peer)
    if (peer.link.outbound) this.#dialling.left(peer, this.#closed)
    this.#asking.picker?.leave(peer)
    this.#judge.left(peer.id)
    const joined = this.#joined.get(peer)
    this.#joined.delete(peer)
    if (joined !== undefined) this.#options.events.peer(this.infoHash, 'left', joined)
    if (!this.#closed) this.#asking.askAll()
  }

  dialEnded(endpoint: string, wasUp: boolean): void {
    this.#dialling.ended(endpoint, wasUp)
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
    if (this.#admission.refuses(peer)) return
    this.#joined.set(peer, peer.id)
    events.peer(this.infoHash, 'joined', peer.id)
    this.#slots.planSoon()
    this.#asking.ask(peer)
  }

  chokes(peer: Peer): void {
    // BEP 6: what is not rejected one by one is dropped.
    if (!peer.hasFast) this.#asking.picker?.releaseAll(peer)
  }

  unchokes(peer: Peer): void {
    this.#asking.ask(peer)
  }

  interestChanged(peer: Peer): void {
    this.#slots.interestChanged(peer)
  }

  has(peer: Peer, index: number): void {
    this.#asking.picker?.has(peer, index)
    this.#asking.updateInterest(peer)
  }

  lost(peer: Peer, index: number): void {
    const lost = this.#asking.picker?.lost(peer, index) ?? []
    peer.cancel(lost)
    this.#asking.updateInterest(peer)
  }

  hasAnew(peer: Peer): void {
    if (this.#asking.picker === undefined) return
    const lost = this.#asking.tell(this.#asking.picker, peer)
    peer.cancel(lost)
    this.#asking.updateInterest(peer)
    this.#slots.planSoon()
  }

  block(peer: Peer, index: number, offset: number, bytes: Uint8Array): void {
    const picker = this.#asking.picker
    const { length } = bytes
    const now = this.now()
    peer.lastBlockAt = now
    peer.downloaded.add(length, now)
    this.#downloaded.add(length, now)
    if (picker === undefined || this.#closed) return
    const { what, complete, others } = picker.received(peer, index, offset, length)
    if (what === 'unwanted') return
    peer.isSnubbed = false
    peer.gaveAt = now
    peer.depth.received()
    for (const other of others) other.cancel([{ index, offset, length }])
    this.#judge.accept(index, offset, peer.id, this.#checks.put(peer, index, offset, bytes))
    if (complete) this.#checks.complete(index)
  }

  rejected(peer: Peer, { index, offset }: NamedBlock): void {
    this.#asking.picker?.released(peer, index, offset)
  }

  extended(peer: Peer): void {
    this.#fetches.go()
    // It was told nothing of the metainfo if that came before its own handshake.
    if (peer.closed) return
    this.#asking.ask(peer)
  }

  metadata(peer: Peer, message: MetadataMessage): void {
    this.#fetches.received(peer, message)
  }

  violated(peer: Peer, what: string): void {
    this.#options.onRejected()
    peer.close(what)
  }

  // The metainfo

  /** It may list 65,536 files: others have their turns meanwhile. */
  async #described(info: Uint8Array): Promise<void> {
    try {
      const metainfo = await this.#options.checkInfo(info)
      if (this.#closed) return
      this.#options.events.described(metainfo)
      this.#open(metainfo)
    } catch (error) {
      this.#fail(error)
    }
  }

  #hashOf(index: number): string {
    return this.#metainfo === undefined ? '' : pieceHash(this.#metainfo, index)
  }

  #open(metainfo: Metainfo): void {
    this.#metainfo = metainfo
    this.#fetches.end()
    // Only now it is known that it is private.
    if (!this.isPublic) this.#closeSources()
    this.#asking.pieceBlocks = Math.ceil(metainfo.pieceLengthBytes / BLOCK_BYTES)
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
      dropped: (index) => this.#asking.forget(index),
      gives: (peer) => this.now() - peer.gaveAt <= GIVES_NOTHING_MS,
    })
    for (let index = 0; index < pieceCount; index++) if (hasBit(verified, index)) picker.setVerified(index)
    this.#tellWanted(picker)
    this.#asking.picker = picker
    this.#isReady = true
    this.#judge.flush()
    events.checked(verified)
    for (const peer of [...this.#peers]) {
      picker.join(peer, peer.link.prefersRuns)
      this.#asking.tell(picker, peer)
      for (let index = 0; index < pieceCount; index++) if (hasBit(verified, index)) peer.have(index)
      this.#asking.updateInterest(peer)
    }
    this.#wasComplete = this.#isDone
    if (this.#isDone) this.#done()
    this.#publicSources?.ready(metainfo)
    this.#dialling.goOn()
  }

  /** Every wanted piece is here. */
  get #isDone(): boolean {
    return this.#isReady && this.#asking.picker?.wantedLeft === 0
  }

  #tellWanted(picker: Picker<Peer>): void {
    const { priorities, sequential } = this.#wanted
    picker.sequential = sequential
    for (let index = 0; index < (this.#metainfo?.pieceCount ?? 0); index++) {
      const priority = (priorities === undefined ? DEFAULT_PRIORITY : (priorities[index] ?? 0)) as Priority
      for (const [peer, blocks] of picker.setPriority(index, priority)) peer.cancel(blocks)
    }
  }

  // What came

  #passed(index: number): void {
    setBit(this.#verified, index)
    this.#missing--
    this.#asking.picker?.setVerified(index)
    this.#judge.passed(index)
    for (const peer of [...this.#peers]) {
      if (!peer.hasPiece(index)) peer.have(index)
      else if (peer.amInterested && this.#asking.picker?.isInteresting(peer) !== true) peer.interest(false)
    }
    if (this.#isDone) this.#done()
  }

  #done(): void {
    const { events } = this.#options
    this.#judge.flush()
    this.#checks.trim()
    for (const peer of this.#peers) peer.interest(false)
    const ending = (this.#files?.createEmptyFiles(this.#wanted.isFileWanted) ?? Promise.resolve()).catch((error: unknown) =>
      this.#fail(error),
    )
    this.#track(ending)
    if (!this.#wasComplete) this.#publicSources?.completed()
    events.completed()
  }

  // Whom

  #isWelcome(peer: Peer): boolean {
    return this.#admission.isWelcome(peer)
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
      if ((this.#asking.picker?.owed(peer) ?? 0) > 0 && now - peer.lastBlockAt > SNUBBED_MS) {
        peer.isSnubbed = true
        peer.depth.stalled()
        this.#asking.takeBack(peer)
      }
    }
    this.#fetches.tick()
    if (this.#ticks % EXCHANGE_TICKS === 0 && this.isPublic) this.#exchange()
    if (this.#ticks % CHOKE_TICKS === 0) this.#slots.plan()
    this.#asking.askAll()
    this.#dialling.goOn()
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

/** The torrent file was reduced to `d4:info` ... `e`. */
const infoOf = ({ torrentFile }: Metainfo): Uint8Array => torrentFile.subarray('d4:info'.length, torrentFile.length - 1)
