import type { Socket } from 'node:net'
import type WebTorrent from 'webtorrent'
import Peer from 'webtorrent/lib/peer.js'
import type { Piece, Torrent } from 'webtorrent/lib/torrent.js'
import type { Wire } from 'webtorrent/lib/wire'
import type { Clock, FileStampAt, PeerId, Timers } from '../events/index.ts'
import { isNodeId } from '../events/index.ts'
import { decode } from './bencode.ts'
import { BlockServer } from './block-server.webtorrent.ts'
import { flipped, isCorrupted } from './corruption.ts'
import { endpointOf } from './endpoint.ts'
import type { EngineOptions, MadeConnection, TorrentPeer } from './engine.ts'
import { TorrentError } from './engine.ts'
import { FileWatch } from './file-watch.fs.ts'
import { FilesChanged } from './files-changed.ts'
import { held } from './held-callback.ts'
import type { Metainfo } from './metainfo.ts'
import { BLOCK_BYTES, checkTorrentFile, magnetOf, pieceBytes, pieceHash } from './metainfo.ts'
import { PeerSession } from './peer-session.webtorrent.ts'
import { PieceJudge } from './piece-judge.ts'
import { bitfieldOf, hasBit } from './piece-ranges.ts'
import { PieceStore } from './piece-store.fs.ts'
import { sha1 } from './sha1.system.ts'
import type { OpenSwarm, Swarm, SwarmStatus, WantedPieces } from './swarm.ts'
import { UnwillingPeers } from './unwilling-peers.ts'
import type { WireGuard } from './wire-guard.webtorrent.ts'
import { unhandled } from './wire-guard.webtorrent.ts'

// One torrent while it is open: webtorrent's torrent, with blame, parole, bans and identities put around it.

/** A peer that must prove a key has this long. */
const PROOF_WAIT_MS = 5_000
/** Addresses kept of one torrent, dialled and waiting; more are not taken from the DHT. */
const PEERS_MAX = 400

export type WebtorrentSwarmOptions = OpenSwarm & {
  client: WebTorrent
  identity: EngineOptions['identity']
  admits: NonNullable<EngineOptions['admits']>
  guardOf(wire: Wire): WireGuard
  /** Before anything else when it closes. */
  closed(): void
  clock: Clock
  timers: Timers
}

export class WebtorrentSwarm implements Swarm {
  readonly torrent: Torrent
  corruptPercent: number
  readonly #options: WebtorrentSwarmOptions
  readonly #sessions = new Map<Wire, PeerSession>()
  readonly #joined = new Map<PeerSession, PeerId>()
  readonly #unwilling = new UnwillingPeers()
  readonly #judge: PieceJudge
  #metainfo: Metainfo | undefined
  /** Bytes of its info dictionary, as peers fetch it. */
  #metadataBytes: number | undefined
  #store: PieceStore | undefined
  #watch: FileWatch | undefined
  readonly #closing = new AbortController()
  #wanted: WantedPieces
  /** It was told that every wanted piece is here. */
  #wasDone = false
  /** Nothing is taken up any more; writes under way are finished. */
  #closed = false
  #ended = false

  constructor(options: WebtorrentSwarmOptions) {
    this.#options = options
    this.#metainfo = options.metainfo
    this.corruptPercent = options.corruptPercent
    this.#wanted = options.wanted
    const { infoHash, events, metainfo, clock, timers } = options
    this.#judge = new PieceJudge(
      {
        sha1,
        expected: (index) => (this.#metainfo === undefined ? '' : pieceHash(this.#metainfo, index)),
        clock,
        timers,
        onThinIce: options.onThinIce,
      },
      {
        verified: (pieces) => events.verified(pieces),
        judged: (subject, good, bad) => events.judged(infoHash, subject, good, bad),
        suspected: (index, sources) => events.suspected(infoHash, index, sources),
        cancelRequests: (peer) => {
          for (const session of this.#sessions.values()) if (session.id === peer) session.cancelRequests()
        },
        update: () => this.#update(),
      },
    )
    this.torrent = options.client.add(metainfo?.torrentFile ?? magnetOf(options), {
      path: options.directory,
      announce: [],
      urlList: [],
      // BEP 27 keeps private torrents out of the public DHT; ours is this network's own tracker.
      private: false,
      // Bans and corruption act on blocks as they leave; a cache of pieces would cost memory and serve no one else.
      storeCacheSlots: 0,
    })
    this.#hook()
    if (metainfo !== undefined && !isSorted(metainfo))
      timers.after(0, () => this.#onError(new TorrentError('TORRENT_REFUSED', UNSORTED)))
  }

  get status(): SwarmStatus {
    const { torrent } = this
    return {
      downloadedBytes: torrent.received,
      uploadedBytes: torrent.uploaded,
      downloadBytesPerSecond: torrent.downloadSpeed,
      uploadBytesPerSecond: torrent.uploadSpeed,
      isReady: torrent.ready,
      isDone: this.#isDone,
    }
  }

  peers(): TorrentPeer[] {
    const pieceCount = this.#metainfo?.pieceCount ?? 0
    return [...this.#sessions.values()].map((session) => session.describe(pieceCount, this.#judge.onParole(session.id)))
  }

  /** Dials a peer, unless it is banned or there are too many. */
  connect(endpoint: string): void {
    if (!this.#closed && this.torrent.infoHash !== undefined && !this.torrent.destroyed) this.torrent.addPeer(endpoint)
  }

  /** Talks over a connection that was made for this torrent, unless there are too many. */
  adopt(connection: MadeConnection): void {
    // Its maker gave it what webtorrent wants of a socket; the two know of one another only here.
    const socket = connection as unknown as Socket
    const { torrent } = this
    const address = endpointOf(socket.remoteAddress ?? '0.0.0.0', socket.remotePort ?? 0)
    const isFull = (torrent._peers?.size ?? PEERS_MAX) >= PEERS_MAX || torrent._peers?.has(address)
    if (this.#closed || isFull || torrent.infoHash === undefined || torrent.destroyed) {
      socket.destroy()
      return
    }
    const peer = Peer.createTCPOutgoingPeer(address, torrent, this.#options.client.throttleGroups, 'manual', 0)
    peer.conn = socket
    torrent._registerPeer(peer)
    peer.onConnect()
  }

  want(wanted: WantedPieces): void {
    this.#wanted = wanted
    if (!this.torrent.ready || this.#closed || this.torrent.destroyed) return
    this.#selectWanted()
    this.#lookIfDone()
    this.#update()
  }

  /** Public sources are for our own engine. */
  setSources(): void {}

  sources(): readonly never[] {
    return []
  }

  /** webtorrent limits all torrents together only. */
  limit(): void {}

  /** Closes the connections of peers that are admitted no more. */
  enforceAdmission(): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.identified && !this.#options.admits(session.key)) session.close('not admitted to this network')
    }
  }

  /** Closes the connections the ban list no longer allows. */
  enforceBans(): void {
    for (const session of [...this.#sessions.values()]) this.#enforceBans(session)
  }

  /** These files have all their pieces now: how they look. */
  async settle(files: readonly number[]): Promise<readonly FileStampAt[]> {
    try {
      return (await this.#store?.settle(files)) ?? []
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)))
      return []
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#options.closed()
    this.#closing.abort(new Error('the torrent is closed'))
    for (const session of [...this.#sessions.values()]) session.close('the torrent is closed')
    if (!this.torrent.destroyed) {
      await new Promise<void>((resolve) => this.torrent.destroy({ destroyStore: false }, () => resolve()))
    }
    this.#ended = true
    this.#judge.close()
  }

  #hook(): void {
    const { torrent } = this
    const { _addPeer: addPeer, _onMetadata: onMetadata, _request: request, _registerPeer: registerPeer } = torrent
    // Every dial passes here: found peers, and webtorrent's own reconnects, which ask nobody.
    torrent._addPeer = (address, type, source) => (this.#mayDial(address) ? addPeer.call(torrent, address, type, source) : null)
    // So does every peer, dialled, accepted or adopted, before it says anything.
    torrent._registerPeer = (peer) => {
      registerPeer.call(torrent, peer)
      this.#guardFromTheFirstByte(peer)
    }
    const onFailure = (reason: string) => this.#onError(new Error(reason))
    torrent._onMetadata = held((metadata: unknown) => {
      if (!this.#closed && this.#prepare(metadata)) return onMetadata.call(torrent, metadata)
      return undefined
    }, onFailure)
    this.#holdTimers(onFailure)
    torrent._verifyPieces = (done) => void this.#openDisk(done)
    torrent._request = (wire, index, hotswap) => this.#mayAsk(wire, index) && request.call(torrent, wire, index, hotswap)
    torrent.on('wire', (wire: Wire, address: string) => {
      // Requests are small writes: held back by Nagle's algorithm they wait 40 ms each for an acknowledgement.
      torrent._peers?.get(address)?.conn?.setNoDelay(true)
      this.#onWire(wire)
    })
    torrent.on('verified', (index: number) => this.#onVerified(index))
    torrent.on('warning', (warning: Error) => this.#onWarning(warning))
    torrent.on('error', (error: Error) => this.#onError(error))
    torrent.on('done', () => this.#lookIfDone())
    torrent.on('ready', () => this.#onReady())
    torrent.setMaxListeners(0)
  }

  #guardFromTheFirstByte(peer: Peer): void {
    const { onConnect } = peer
    const guard = () => peer.wire !== null && this.#options.guardOf(peer.wire)
    guard()
    // A peer that is still to be dialled gets its wire here; bytes come in a later turn.
    peer.onConnect = () => {
      onConnect.call(peer)
      guard()
    }
  }

  /** Timers and microtasks of webtorrent work on what peers said before: nobody stands around those. */
  #holdTimers(onFailure: (reason: string) => void): void {
    const { torrent } = this
    const { _rechoke: rechoke, _updateWire: updateWire, _onWireWithMetadata: onWireWithMetadata } = torrent
    const closeIt = (reason: string, [wire]: readonly [Wire]) => this.#options.guardOf(wire).violate(unhandled(reason))
    torrent._rechoke = held(() => rechoke.call(torrent), onFailure)
    torrent._updateWire = held((wire: Wire) => updateWire.call(torrent, wire), closeIt)
    torrent._onWireWithMetadata = held((wire: Wire) => {
      if (!torrent.destroyed && !wire.destroyed) onWireWithMetadata.call(torrent, wire)
    }, closeIt)
  }

  #mayDial(address: string): boolean {
    if (this.#closed || (this.torrent._peers?.size ?? 0) >= PEERS_MAX) return false
    const { endpoints, bans, clock } = this.#options
    const peer = endpoints.peerAt(address)
    const connected = peer !== undefined && isNodeId(peer) && this.#sessionOf(peer) !== undefined
    return !connected && endpoints.mayDial(address, bans) && this.#unwilling.mayDial(address, clock.now())
  }

  /** Metadata is at hand, from the torrent file or from a peer: nothing of webtorrent has looked at it yet. */
  #prepare(metadata: unknown): boolean {
    const { torrent } = this
    if (this.#store !== undefined) return false
    try {
      if (this.#metainfo === undefined) {
        if (!(metadata instanceof Uint8Array))
          throw new TorrentError('TORRENT_REFUSED', 'the torrent is refused: no metadata came')
        const metainfo = checkTorrentFile(metadata, sha1)
        if (metainfo.infoHash !== this.#options.infoHash) return false
        if (!isSorted(metainfo)) throw new TorrentError('TORRENT_REFUSED', UNSORTED)
        this.#metainfo = metainfo
        this.#options.events.described(metainfo)
      }
    } catch (error) {
      // Later than this call: webtorrent is in the middle of a peer's message.
      queueMicrotask(() => this.#onError(error instanceof Error ? error : new Error(String(error))))
      return false
    }
    const { directory, stamps } = this.#options
    this.#watch = new FileWatch(this.#metainfo, directory, stamps, (change) => this.#onError(new FilesChanged(change)))
    this.#store = new PieceStore(this.#metainfo, directory, this.#watch)
    torrent._preloadedStore = this.#store
    const { verified } = this.#options
    if (verified !== undefined) torrent._startupBitfield = bitfieldOf(verified, this.#metainfo.pieceCount)
    this.#metadataBytes = infoBytes(this.#metainfo)
    for (const wire of [...this.#sessions.keys()]) this.#options.guardOf(wire).metainfoKnown()
    return true
  }

  #onWire(wire: Wire): void {
    const { client, infoHash, identity, admits, endpoints, bans, clock, timers, guardOf } = this.#options
    const guard = guardOf(wire)
    const since = clock.now()
    const session = new PeerSession(wire, infoHash, client.peerId, {
      identity,
      identified: (each) => this.#onIdentified(each),
      closed: (each) => this.#onClosed(each, since),
      violated: (_, what) => guard.violate(what),
    })
    if (wire.peerId === client.peerId) {
      if (session.outbound) endpoints.isSelf(session.endpoint)
      session.close('connected to itself')
      return
    }
    this.#sessions.set(wire, session)
    const server = new BlockServer(wire)
    const swarm = this
    guard.attach({
      get pieceCount() {
        return swarm.#metainfo?.pieceCount
      },
      get metadataBytes() {
        return swarm.#metadataBytes
      },
      pieceBytes: (index) => (swarm.#metainfo === undefined ? 0 : pieceBytes(swarm.#metainfo, index)),
      serve: (index, offset, length) => swarm.#serve(session, guard, server, index, offset, length),
    })
    this.#guardMetadata(wire, guard)
    this.#followLosses(wire)
    this.#watchBlocks(session)
    const needsProof = () => bans.needsProof(session.host) || !admits(undefined)
    if (needsProof()) {
      const cancel = timers.after(PROOF_WAIT_MS, () => {
        if (session.key === undefined && needsProof()) session.close('no proof of an identity')
      })
      wire.once('close', cancel)
    }
    session.start()
  }

  /** ut_metadata decodes what hashes right without expecting it to be malformed, in promises nobody holds. */
  #guardMetadata(wire: Wire, guard: WireGuard): void {
    const extension = wire.ut_metadata
    const { setMetadata, _checkDone: checkDone } = extension
    // It asks again for metadata that was wrong: on a wire that is gone, or under an id that the peer took back.
    extension._checkDone = guard.hold(() => checkDone.call(extension))
    extension.setMetadata = async (metadata) => {
      if (this.torrent.metadata === null) {
        if (sha1([metadata]) !== this.#options.infoHash) return false
        try {
          checkTorrentFile(wrapInfo(metadata), sha1)
        } catch (error) {
          this.#onError(error instanceof Error ? error : new Error(String(error)))
          return true
        }
      }
      return setMetadata.call(extension, metadata)
    }
  }

  /** webtorrent does not expect a peer to lose pieces: it asks on, and chokes a seeder that is none any more for ever. */
  #followLosses(wire: Wire): void {
    const { torrent } = this
    let isUpdate = false
    wire.on('bitfield', () => {
      if (isUpdate && torrent.pieces.some((_, index) => !wire.peerPieces.get(index))) wire.isSeeder = false
      isUpdate = true
      for (const { piece, offset, length } of [...wire.requests]) {
        if (!wire.peerPieces.get(piece)) wire.cancel(piece, offset, length)
      }
    })
    wire.lt_donthave.on('donthave', () => {
      wire.isSeeder = false
    })
    wire.on('have-none', () => {
      isUpdate = true
    })
    wire.on('have-all', () => {
      isUpdate = true
      const pieceCount = this.#metainfo?.pieceCount
      const Bits = torrent.bitfield?.constructor as (new (bits: Uint8Array) => Wire['peerPieces']) | undefined
      if (pieceCount === undefined || Bits === undefined) return
      // Its own stand-in for "everything" cannot forget a piece.
      wire.peerPieces = new Bits(bitfieldOf([{ first: 0, count: pieceCount }], pieceCount))
    })
  }

  #watchBlocks(session: PeerSession): void {
    const { wire } = session
    const { request } = wire
    const { torrent } = this
    wire.request = (index, offset, length, done) => {
      const piece = torrent.pieces[index]
      // webtorrent's own returns a promise, and goes on in it.
      const settle = held(done, (reason) => this.#onError(new Error(reason)))
      request.call(wire, index, offset, length, (error, block) => {
        // The same conditions under which webtorrent keeps the block: its sender must be the one on record.
        // A closed wire answers its requests with an error and a null.
        if (
          !error &&
          block instanceof Uint8Array &&
          piece?._flushed === false &&
          piece === torrent.pieces[index] &&
          isOpen(piece, offset)
        ) {
          this.#judge.accept(index, offset, session.id, block)
        }
        settle(error, block)
      })
    }
  }

  #onIdentified(session: PeerSession): void {
    const { endpoints, infoHash, events } = this.#options
    if (session.outbound) endpoints.learn(session.endpoint, session.id)
    if (!this.#options.admits(session.key)) {
      session.close('not admitted to this network')
      return
    }
    if (this.#enforceBans(session) || this.#isDuplicate(session)) return
    this.#joined.set(session, session.id)
    events.peer(infoHash, 'joined', session.id)
    queueMicrotask(() => this.#update())
  }

  #sessionOf(peer: PeerId): PeerSession | undefined {
    for (const session of this.#sessions.values()) if (session.identified && session.id === peer) return session
    return undefined
  }

  /**
   * Two nodes that find each other at once dial each other. Both keep the connection that the lower key opened.
   * @returns true if this one was closed
   */
  #isDuplicate(session: PeerSession): boolean {
    const { key } = session
    if (key === undefined) return false
    for (const other of [...this.#sessions.values()]) {
      if (other === session || other.key !== key) continue
      const oursStays = this.#options.identity.id < key
      // Another peer id is another process: the node was started again, and the old connection is a ghost.
      const isGhost = other.wire.peerId !== session.wire.peerId || other.outbound === session.outbound
      const loser = !isGhost && other.outbound === oursStays ? session : other
      loser.close('connected already')
      if (loser === session) return true
    }
    return false
  }

  #onClosed(session: PeerSession, since: number): void {
    const { clock } = this.#options
    const { wire, outbound, endpoint } = session
    this.#sessions.delete(wire)
    const now = clock.now()
    if (outbound && !this.#closed) this.#unwilling.ended(endpoint, now - since, wire.downloaded + wire.uploaded > 0, now)
    this.#judge.left(session.id)
    const joined = this.#joined.get(session)
    this.#joined.delete(session)
    if (joined !== undefined) this.#options.events.peer(this.#options.infoHash, 'left', joined)
  }

  /** @returns true if the connection was closed */
  #enforceBans(session: PeerSession): boolean {
    const { bans } = this.#options
    if (session.key !== undefined && bans.has(session.key)) bans.seen(session.key, session.host)
    else if (session.key !== undefined || !session.identified || !bans.needsProof(session.host)) return false
    session.close('banned')
    return true
  }

  #mayAsk(wire: Wire, index: number): boolean {
    const session = this.#sessions.get(wire)
    if (session === undefined || session.closed || !this.#isWelcome(session)) return false
    if (this.#wanted.priorities?.[index] === 0) return false
    return this.#judge.mayAsk(session.id, index, () => this.#untouched(index))
  }

  /** It has said who it is where that matters. Nothing is asked of or served to others. */
  #isWelcome(session: PeerSession): boolean {
    if (!this.#options.admits(session.key)) return false
    if (session.key !== undefined) return true
    if (this.#options.bans.needsProof(session.host)) return false
    return session.identified || Object.keys(session.wire.peerExtendedMapping).length === 0
  }

  /** True if no block of this piece is owed or kept; kept blocks that nobody adds to are dropped for it. */
  #untouched(index: number): boolean {
    const { torrent } = this
    const piece = torrent.pieces[index]
    if (piece === null || piece === undefined || piece._flushed) return false
    if (piece._reservations === 0) return true
    for (const { wire } of this.#sessions.values()) {
      if (wire.requests.some((each) => each.piece === index)) return false
    }
    const Fresh = piece.constructor as typeof Piece
    torrent.pieces[index] = new Fresh(piece.length)
    this.#judge.forget(index)
    return true
  }

  #serve(session: PeerSession, guard: WireGuard, server: BlockServer, index: number, offset: number, length: number): void {
    if (!server.isWithinBounds) {
      guard.violate('more requests at a time than it was told it may make')
      return
    }
    const store = this.#store
    const has = this.torrent.ready && this.torrent.bitfield?.get(index) === true
    if (store === undefined || !has || !this.#isWelcome(session)) server.reject(index, offset, length)
    else server.serve(store, index, offset, length, (block) => (this.#corrupts(index) ? flipped(block) : block))
  }

  #corrupts(index: number): boolean {
    return this.corruptPercent > 0 && isCorrupted(this.#options.identity.id, index, this.corruptPercent)
  }

  /** In place of webtorrent's own check, which hashes a piece of every file and downloads over whatever it finds. */
  async #openDisk(done: (error: Error | null) => void): Promise<void> {
    const { torrent } = this
    const [metainfo, store, watch] = [this.#metainfo, this.#store, this.#watch]
    if (metainfo === undefined || store === undefined || watch === undefined) return
    try {
      const found = await this.#options.events.openDisk(metainfo, store, watch, this.#closing.signal)
      if (this.#closed || torrent.destroyed) return
      for (let index = 0; found !== undefined && index < metainfo.pieceCount; index++) {
        if (hasBit(found, index)) torrent._markVerified(index)
      }
      done(null)
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #onVerified(index: number): void {
    if (!this.#ended) this.#judge.passed(index)
    if (this.torrent.ready) this.#lookIfDone()
  }

  #onWarning(warning: Error): void {
    const match = /^Piece (\d+) failed verification$/.exec(warning.message)
    if (match !== null && !this.#ended) this.#judge.failed(Number(match[1]))
  }

  #update(): void {
    if (this.torrent.ready && !this.torrent.destroyed) this.torrent._update()
  }

  #onReady(): void {
    this.#judge.flush()
    const { bitfield } = this.torrent
    if (bitfield !== undefined) this.#options.events.checked(bitfield.buffer)
    if (this.#wanted.priorities !== undefined) this.#selectWanted()
    this.#lookIfDone()
  }

  /** webtorrent is done when all files are here; a person may want fewer. */
  get #isDone(): boolean {
    const { torrent } = this
    const { priorities } = this.#wanted
    if (priorities === undefined || torrent.bitfield === undefined) return torrent.done
    const { bitfield } = torrent
    return torrent.ready && priorities.every((priority, index) => priority === 0 || bitfield.get(index))
  }

  #selectWanted(): void {
    const { torrent } = this
    const count = torrent.pieces.length
    const priorities = this.#wanted.priorities ?? new Uint8Array(count).fill(1)
    torrent.deselect(0, count - 1)
    for (let first = 0, next = 0; first < count; first = next) {
      const priority = priorities[first] ?? 0
      while (next < count && priorities[next] === priority) next++
      if (priority > 0) torrent.select(first, next - 1, priority)
    }
  }

  #lookIfDone(): void {
    const wasDone = this.#wasDone
    this.#wasDone = this.#isDone
    if (this.#wasDone && !wasDone) this.#onDone()
  }

  #onDone(): void {
    this.#judge.flush()
    this.#store?.createEmptyFiles(this.#wanted.isFileWanted).catch((error: Error) => this.#onError(error))
    this.#options.events.completed()
  }

  #onError(error: Error): void {
    if (this.#closed) return
    this.#options.events.failed(error)
  }
}

/** webtorrent writes the info dictionary anew, in order and without what BEP 3 forbids: its hash would be another one. */
function isSorted({ torrentFile }: Metainfo): boolean {
  try {
    decode(torrentFile, { sortedKeys: true })
    return true
  } catch {
    return false
  }
}

const UNSORTED =
  'webtorrent cannot read this torrent: its keys are out of order; start the node without --engine webtorrent for it'

/** The slot for this block is still empty. */
const isOpen = (piece: Piece, offset: number): boolean => piece._buffer?.[offset / BLOCK_BYTES] === undefined

/** What the torrent file holds besides `d4:info` and `e`: it was reduced to that. */
const infoBytes = ({ torrentFile }: Metainfo): number => torrentFile.length - wrapInfo(new Uint8Array()).length

function wrapInfo(info: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')])
}
