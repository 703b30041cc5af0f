import { addressId, type InfoHash, type NodeId, type PeerId } from '../../events/index.ts'
import { endpointOf } from '../endpoint.ts'
import type { EngineOptions, TorrentPeer } from '../engine.ts'
import { IDENTITY_EXTENSION, proveIdentity, verifyIdentity } from '../identity-proof.ts'
import { type ConversationState, rule, uint32 } from '../message-bounds.ts'
import { TORRENT_FILE_BYTES_MAX } from '../metainfo.ts'
import { type PeerClass, peerClassOf } from '../peer-class.ts'
import { PieceClaims } from '../piece-claims.ts'
import { countBits, hasBit, setBit } from '../piece-ranges.ts'
import { decodeExtendedHandshake, type ExtendedHandshake, encodeExtendedHandshake } from '../wire/extended-handshake.ts'
import type { Handshake } from '../wire/handshake.ts'
import {
  encodeBare,
  encodeBitfield,
  encodeBlockMessages,
  encodeExtended,
  encodeHave,
  MESSAGE,
  type NamedBlock,
} from '../wire/messages.ts'
import { decodePeerExchange, EXCHANGED_MAX, encodePeerExchange } from '../wire/peer-exchange.ts'
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  METADATA,
  METADATA_PIECE_BYTES,
  type MetadataMessage,
  metadataPiece,
} from './metadata-fetch.ts'
import { RateMeter } from './rate-meter.ts'
import { RequestDepth } from './request-depth.ts'
import { ServeQueue } from './serve-queue.ts'

// One connection with one peer of one torrent, past its handshake: what both sides have said, and who the peer is.

/** Requests we answer at a time, as we tell peers (`reqq`, BEP 10). */
export const REQUESTS_MAX = 1_024
/** A peer may have asked for these before it heard of the limit. */
const REQUESTS_TAKEN_MAX = 2 * REQUESTS_MAX
/** What a peer has not read of our answers: one that asks on and on is closed. Blocks and metadata stay below this. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024
/** Requests that a peer may send after it was choked: some were on their way before it heard of that. */
const CHOKED_REQUESTS_MAX = REQUESTS_TAKEN_MAX
/** A peer is given our info dictionary so many times. */
const METADATA_TIMES_MAX = 4
/** Pieces of our info dictionary that wait in a peer's socket: more are turned down. */
const METADATA_UNSENT_BYTES_MAX = 4 * 1024 * 1024

const CLIENT_NAME = 'p2pt'
const DONT_HAVE = 'lt_donthave'
const METADATA_EXTENSION = 'ut_metadata'
const PEER_EXCHANGE = 'ut_pex'
const OUR_IDS = { [METADATA_EXTENSION]: 1, [DONT_HAVE]: 2, [IDENTITY_EXTENSION]: 3 } as const
/** In torrents that a person made public. */
const PUBLIC_IDS = { ...OUR_IDS, [PEER_EXCHANGE]: 4 } as const
const OUR_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(PUBLIC_IDS).map(([name, id]) => [id, name]))
const PIECE_FIELDS_BYTES = 9
/** Between two messages of BEP 11 that are read, ms: a minute is the rule. */
const EXCHANGE_LEAST_MS = 45_000
const KEEP_ALIVE = new Uint8Array(4)

/** The stream below: bytes in order, or its end. */
export interface PeerLink {
  readonly host: string
  readonly port: number
  /** We made it. */
  readonly outbound: boolean
  /** Runs of pieces cost less than pieces here and there. */
  readonly prefersRuns?: boolean
  /** Bytes that were sent and have not left this process. */
  readonly unsentBytes: number
  /** @param onSent called once the bytes have left and may be written to again, where the stream tells; until then only the link holds them */
  send(bytes: Uint8Array, onSent?: () => void): void
  /** @param why for nobody but a log */
  close(why: string): void
}

/** What a peer's torrent is told, and asked. */
export interface PeerTorrent {
  readonly infoHash: InfoHash
  readonly identity: EngineOptions['identity']
  /** 40 hex digits. */
  readonly ourPeerId: string
  /** Undefined until the metainfo is known. */
  readonly pieceCount: number | undefined
  pieceBytes(index: number): number
  /** The info dictionary; undefined until it is known. */
  readonly info: Uint8Array | undefined
  now(): number
  identified(peer: Peer): void
  chokes(peer: Peer): void
  unchokes(peer: Peer): void
  interestChanged(peer: Peer): void
  has(peer: Peer, index: number): void
  lost(peer: Peer, index: number): void
  /** It said anew what it has. */
  hasAnew(peer: Peer): void
  /** `bytes` are the caller's again after the call. */
  block(peer: Peer, index: number, offset: number, bytes: Uint8Array): void
  rejected(peer: Peer, block: NamedBlock): void
  /** Peers are exchanged, and strangers are welcome. */
  readonly isPublic: boolean
  /** TCP; 0 if nobody can connect. */
  readonly ourPort: number
  /** It told of others: `host:port`. */
  exchanged(peer: Peer, endpoints: readonly string[]): void
  metadata(peer: Peer, message: MetadataMessage): void
  extended(peer: Peer): void
  violated(peer: Peer, what: string): void
  /** It was closed, by either side. */
  left(peer: Peer): void
}

export class Peer {
  readonly link: PeerLink
  readonly peerId: string
  readonly hasFast: boolean
  readonly hasExtended: boolean
  readonly since: number
  readonly peerClass: PeerClass
  readonly downloaded = new RateMeter()
  readonly uploaded = new RateMeter()
  readonly depth = new RequestDepth()
  readonly wanted = new ServeQueue()
  amChoking = true
  amInterested = false
  isChoking = true
  isInterested = false
  /** Asked for something it has not sent in a long time. */
  isSnubbed = false
  /** Runs of its requests that are being read from the disk. */
  reading = 0
  /** Its requests wait for a limit of uploads. */
  awaitsTurn = false
  /** When it came, or was choked last. */
  waitsSince: number
  /** A block came, or it was asked for the first one. */
  lastBlockAt: number
  /** When it last sent a block that was wanted, or came. */
  gaveAt: number
  /** When a block was last sent to it, or it came. */
  tookAt: number
  lastHeardAt: number
  lastSentAt: number
  ext: ExtendedHandshake | undefined
  closed = false
  readonly #torrent: PeerTorrent
  readonly #state: ConversationState
  #bits = new Uint8Array(0)
  #isAll = false
  #key: NodeId | undefined
  #identified = false
  #exchangedAt = Number.NEGATIVE_INFINITY
  /** Requests since it was choked. */
  #chokedRequests = 0
  /** Pieces of our info dictionary that it asked for. */
  #metadataAsked = 0
  /** Peers that it knows by us. */
  #told: ReadonlySet<string> = new Set()

  constructor(torrent: PeerTorrent, link: PeerLink, handshake: Handshake, peerId: string) {
    this.#torrent = torrent
    this.link = link
    this.peerId = peerId
    this.hasFast = handshake.hasFast
    this.hasExtended = handshake.hasExtended
    this.since = torrent.now()
    this.peerClass = peerClassOf(link.host)
    this.waitsSince = this.since
    this.lastBlockAt = this.since
    this.gaveAt = this.since
    this.tookAt = this.since
    this.lastHeardAt = this.since
    this.lastSentAt = this.since
    this.#state = {
      get pieceCount() {
        return torrent.pieceCount
      },
      pieceBytes: (index) => torrent.pieceBytes(index),
      claims: new PieceClaims(),
      extendedHandshakes: 0,
      get ourMetadataBytes() {
        return torrent.info?.length
      },
      theirMetadataBytes: undefined,
      extensionName: (id) => OUR_NAMES.get(id),
    }
  }

  /** Says which pieces we have, as the first message must, and what we speak. Called once its torrent knows it. */
  start(verified: Uint8Array | undefined, isComplete: boolean): void {
    this.#sayPieces(verified, isComplete)
    if (this.hasExtended) this.#sayHello()
    // There is nothing to wait for.
    else this.#settle()
  }

  /** The node key it proved, else its address. */
  get id(): PeerId {
    return this.#key ?? addressId(this.link.host)
  }

  get key(): NodeId | undefined {
    return this.#key
  }

  /** False while a peer may still prove a key. */
  get identified(): boolean {
    return this.#identified
  }

  get endpoint(): string {
    return endpointOf(this.link.host, this.link.port)
  }

  /** When a block last went either way. */
  get usedAt(): number {
    return Math.max(this.gaveAt, this.tookAt)
  }

  /** It has not said that it will prove a key. */
  get mayStayUnproven(): boolean {
    return this.#identified || this.ext === undefined || this.ext.ids.size === 0
  }

  /** Bytes of the info dictionary as it announced them. */
  get metadataBytes(): number | undefined {
    return this.#state.theirMetadataBytes
  }

  // What it has.

  get hasEverything(): boolean {
    return this.#isAll
  }

  /** It needs nothing of us. */
  get isSeed(): boolean {
    return this.#isAll || (this.#torrent.pieceCount !== undefined && countBits(this.#bits) === this.#torrent.pieceCount)
  }

  /** As of BEP 3; meaningless while it has everything. */
  get bits(): Uint8Array {
    return this.#bits
  }

  hasPiece(index: number): boolean {
    return this.#isAll || hasBit(this.#bits, index)
  }

  /** @returns what is wrong with what it said before anybody knew how many pieces there are */
  metainfoKnown(pieceCount: number): string | undefined {
    this.#grow(pieceCount)
    return this.#state.claims.problemWith(pieceCount)
  }

  // What we say.

  /** @param onSent see PeerLink */
  send(bytes: Uint8Array, onSent?: () => void): void {
    if (this.closed) return
    this.lastSentAt = this.#torrent.now()
    this.link.send(bytes, onSent)
  }

  keepAlive(): void {
    this.send(KEEP_ALIVE)
  }

  choke(isChoking: boolean): void {
    if (this.amChoking === isChoking) return
    this.amChoking = isChoking
    this.#chokedRequests = 0
    this.send(encodeBare(isChoking ? MESSAGE.choke : MESSAGE.unchoke))
    // BEP 6: each request gets a piece or a reject.
    if (!isChoking) return
    this.waitsSince = this.#torrent.now()
    this.reject(this.wanted.clear())
  }

  interest(isInterested: boolean): void {
    if (this.amInterested === isInterested) return
    this.amInterested = isInterested
    this.send(encodeBare(isInterested ? MESSAGE.interested : MESSAGE.notInterested))
  }

  request(blocks: readonly NamedBlock[]): void {
    if (blocks.length > 0) this.send(encodeBlockMessages(MESSAGE.request, blocks))
  }

  cancel(blocks: readonly NamedBlock[]): void {
    if (blocks.length > 0) this.send(encodeBlockMessages(MESSAGE.cancel, blocks))
  }

  reject(blocks: readonly NamedBlock[]): void {
    if (this.hasFast && blocks.length > 0) this.send(encodeBlockMessages(MESSAGE.reject, blocks))
  }

  have(index: number): void {
    this.send(encodeHave(index))
  }

  askMetadata(pieces: readonly number[]): void {
    for (const piece of pieces) this.#extend(METADATA_EXTENSION, encodeMetadataMessage(METADATA.request, piece))
  }

  get sendsMetadata(): boolean {
    return this.metadataBytes !== undefined && this.ext?.ids.has(METADATA_EXTENSION) === true
  }

  /** @param why for nobody but a log */
  close(why: string): void {
    if (this.closed) return
    this.link.close(why)
    this.#torrent.left(this)
  }

  describe(onParole: boolean): TorrentPeer {
    const { host, port } = this.link
    const { pieceCount = 0 } = this.#torrent
    const now = this.#torrent.now()
    return {
      ...{ id: this.id, host, port, client: this.ext?.client ?? '' },
      completion: this.#isAll ? 1 : pieceCount === 0 ? 0 : Math.min(1, countBits(this.#bits) / pieceCount),
      downloadBytesPerSecond: Math.round(this.downloaded.perSecond(now)),
      uploadBytesPerSecond: Math.round(this.uploaded.perSecond(now)),
      ...{ choked: this.isChoking, onParole },
    }
  }

  // What it says.

  /** A message without its length prefix; its bytes are the caller's again after the call. Never throws. */
  message(message: Uint8Array): void {
    if (this.link.unsentBytes > UNREAD_BYTES_MAX) {
      this.#torrent.violated(this, 'answers that it does not read')
      return
    }
    if (message[0] === MESSAGE.piece && message.length >= PIECE_FIELDS_BYTES) {
      this.#torrent.block(this, uint32(message, 1), uint32(message, 5), message.subarray(PIECE_FIELDS_BYTES))
      return
    }
    if (message[0] === MESSAGE.cancel && message.length === 13) {
      const block = namedBlock(message)
      if (this.wanted.cancel(block)) this.reject([block])
      return
    }
    const ruling = rule(message, this.#state)
    if (ruling === 'drop') return
    if (typeof ruling === 'object' && 'violation' in ruling) {
      this.#torrent.violated(this, ruling.violation)
      return
    }
    this.#take(message)
  }

  #take(message: Uint8Array): void {
    const torrent = this.#torrent
    switch (message[0]) {
      case MESSAGE.choke:
        this.isChoking = true
        torrent.chokes(this)
        break
      case MESSAGE.unchoke:
        this.isChoking = false
        torrent.unchokes(this)
        break
      case MESSAGE.interested:
      case MESSAGE.notInterested:
        this.isInterested = message[0] === MESSAGE.interested
        torrent.interestChanged(this)
        break
      case MESSAGE.have:
        this.#has(uint32(message, 1))
        break
      case MESSAGE.bitfield:
        this.#isAll = false
        // A copy, also of a Buffer, whose `slice` is none: what is set in it must not be set in what is still to be read.
        this.#bits = Uint8Array.from(message.subarray(1))
        this.#grow(torrent.pieceCount ?? 0)
        torrent.hasAnew(this)
        break
      case MESSAGE.haveAll:
      case MESSAGE.haveNone:
        this.#isAll = message[0] === MESSAGE.haveAll
        this.#bits.fill(0)
        torrent.hasAnew(this)
        break
      case MESSAGE.request:
        this.#requested(namedBlock(message))
        break
      case MESSAGE.reject:
        torrent.rejected(this, namedBlock(message))
        break
      case MESSAGE.extended:
        this.#extended(message[1] ?? 0, message.subarray(2))
        break
    }
  }

  #has(index: number): void {
    if (this.hasPiece(index)) return
    this.#grow(index + 1)
    setBit(this.#bits, index)
    this.#torrent.has(this, index)
  }

  #lost(index: number): void {
    if (!this.hasPiece(index)) return
    this.#spellOut()
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) & ~(0x80 >> (index & 7))
    this.#torrent.lost(this, index)
  }

  #requested(block: NamedBlock): void {
    if (this.wanted.size >= REQUESTS_TAKEN_MAX) {
      this.#torrent.violated(this, 'more requests at a time than it was told it may make')
    } else if (this.amChoking && ++this.#chokedRequests > CHOKED_REQUESTS_MAX) {
      this.#torrent.violated(this, 'requests that go on while it is choked')
    } else if (this.amChoking) this.reject([block])
    else this.wanted.add(block)
  }

  #extended(id: number, payload: Uint8Array): void {
    if (id === 0) {
      this.ext = decodeExtendedHandshake(payload, this.ext)
      if (this.ext.ids.has(IDENTITY_EXTENSION)) this.#prove()
      else this.#settle()
      this.#torrent.extended(this)
      return
    }
    switch (OUR_NAMES.get(id)) {
      case METADATA_EXTENSION:
        this.#metadata(decodeMetadataMessage(payload))
        break
      case DONT_HAVE:
        this.#lost(uint32(payload, 0))
        break
      case IDENTITY_EXTENSION:
        this.#verify(payload)
        break
      case PEER_EXCHANGE:
        this.#exchanged(payload)
        break
    }
  }

  #exchanged(payload: Uint8Array): void {
    const torrent = this.#torrent
    // Once a minute, by BEP 11; what comes more often is not read.
    if (!torrent.isPublic || torrent.now() - this.#exchangedAt < EXCHANGE_LEAST_MS) return
    this.#exchangedAt = torrent.now()
    const endpoints = decodePeerExchange(payload)
    if (endpoints === undefined) torrent.violated(this, 'a malformed exchange of peers')
    else torrent.exchanged(this, endpoints)
  }

  /** Tells it which peers there are besides it, as far as it does not know. */
  exchange(endpoints: readonly string[]): void {
    if (this.ext?.ids.has(PEER_EXCHANGE) !== true) return
    const now = new Set(endpoints.filter((endpoint) => endpoint !== this.listeningAt).slice(0, EXCHANGED_MAX))
    const added = [...now].filter((endpoint) => !this.#told.has(endpoint))
    const dropped = [...this.#told].filter((endpoint) => !now.has(endpoint))
    this.#told = now
    if (added.length + dropped.length > 0) this.#extend(PEER_EXCHANGE, encodePeerExchange(added, dropped))
  }

  /** Where others may connect to it, `host:port`; undefined while that is not known. */
  get listeningAt(): string | undefined {
    if (this.link.outbound) return this.endpoint
    return this.ext?.port === undefined ? undefined : endpointOf(this.link.host, this.ext.port)
  }

  #metadata(message: MetadataMessage): void {
    if (message.type === METADATA.request) this.#giveMetadata(message.piece)
    else this.#torrent.metadata(this, message)
  }

  #giveMetadata(piece: number): void {
    const { info } = this.#torrent
    // While nobody knows how long it is, as many as it may be long.
    const pieces = Math.ceil((info?.length ?? TORRENT_FILE_BYTES_MAX) / METADATA_PIECE_BYTES)
    if (++this.#metadataAsked > METADATA_TIMES_MAX * pieces) {
      this.#torrent.violated(this, 'metadata asked for again and again')
      return
    }
    const block = info && metadataPiece(info, piece)
    const isTaken = info !== undefined && block !== undefined && this.link.unsentBytes < METADATA_UNSENT_BYTES_MAX
    const answer = isTaken
      ? encodeMetadataMessage(METADATA.data, piece, { totalBytes: info.length, block })
      : encodeMetadataMessage(METADATA.reject, piece)
    this.#extend(METADATA_EXTENSION, answer)
  }

  // Who it is.

  #prove(): void {
    if (this.#identified) return
    const { infoHash, ourPeerId, identity } = this.#torrent
    const connection = { infoHash, signerPeerId: ourPeerId, verifierPeerId: this.peerId }
    this.#extend(IDENTITY_EXTENSION, proveIdentity(identity, connection))
  }

  #verify(proof: Uint8Array): void {
    if (this.#identified) return
    const { infoHash, ourPeerId, identity } = this.#torrent
    const connection = { infoHash, signerPeerId: this.peerId, verifierPeerId: ourPeerId }
    const key = verifyIdentity(identity, connection, proof)
    if (key === undefined) this.#torrent.violated(this, 'an identity it could not prove')
    else {
      this.#key = key
      this.#settle()
    }
  }

  #settle(): void {
    if (this.#identified || this.closed) return
    this.#identified = true
    this.#torrent.identified(this)
  }

  #sayHello(): void {
    const { info, ourPort } = this.#torrent
    const where = ourPort > 0 ? { p: ourPort } : {}
    const said = { v: CLIENT_NAME, reqq: REQUESTS_MAX, ...where, ...(info && { metadata_size: info.length }) }
    this.send(encodeExtended(0, encodeExtendedHandshake(this.#ourIds, said)))
  }

  #sayPieces(verified: Uint8Array | undefined, isComplete: boolean): void {
    const count = verified === undefined ? 0 : countBits(verified)
    if (this.hasFast && (isComplete || count === 0)) this.send(encodeBare(isComplete ? MESSAGE.haveAll : MESSAGE.haveNone))
    else if (verified !== undefined && count > 0) this.send(encodeBitfield(verified))
  }

  /** The metainfo came: those that know us without it may ask for it now. */
  sayMetadata(): void {
    const { info } = this.#torrent
    if (this.hasExtended && info !== undefined)
      this.send(encodeExtended(0, encodeExtendedHandshake(this.#ourIds, { metadata_size: info.length })))
  }

  get #ourIds(): Readonly<Record<string, number>> {
    return this.#torrent.isPublic ? PUBLIC_IDS : OUR_IDS
  }

  #extend(name: string, payload: Uint8Array): void {
    const id = this.ext?.ids.get(name)
    if (id !== undefined) this.send(encodeExtended(id, payload))
  }

  #grow(pieceCount: number): void {
    const bytes = Math.ceil(pieceCount / 8)
    if (this.#bits.length >= bytes) return
    const larger = new Uint8Array(bytes)
    larger.set(this.#bits)
    this.#bits = larger
  }

  /** "Everything" bit by bit, so that some of it can be taken back. */
  #spellOut(): void {
    const { pieceCount } = this.#torrent
    if (!this.#isAll || pieceCount === undefined) return
    this.#isAll = false
    this.#grow(pieceCount)
    for (let index = 0; index < pieceCount; index++) setBit(this.#bits, index)
  }
}

const namedBlock = (message: Uint8Array): NamedBlock => ({
  index: uint32(message, 1),
  offset: uint32(message, 5),
  length: uint32(message, 9),
})
