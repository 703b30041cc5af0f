import type { Wire } from 'webtorrent/lib/wire'
import type { InfoHash, NodeId, PeerId } from '../events/index.ts'
import { addressId } from '../events/index.ts'
import { endpointOf } from './endpoint.ts'
import type { EngineOptions, TorrentPeer } from './engine.ts'
import { IDENTITY_EXTENSION, proveIdentity, verifyIdentity } from './identity-proof.ts'
import { countBits } from './piece-ranges.ts'
import { closeWire } from './wire-guard.webtorrent.ts'

/** Requests we answer at a time, as we tell peers (`reqq`, BEP 10): 8 MiB of blocks under way. */
export const REQUESTS_MAX = 512

const CLIENT_NAME = 'p2pt'
const CLIENT_NAME_LENGTH_MAX = 64

export type SessionHooks = {
  identity: EngineOptions['identity']
  /** It proved its key, or has shown that it has none to prove. Not called if it closes before. */
  identified(session: PeerSession): void
  closed(session: PeerSession): void
  violated(session: PeerSession, what: string): void
}

/** One connection with one peer of one torrent: who it is, and whether that is settled. */
export class PeerSession {
  readonly wire: Wire
  readonly host: string
  readonly port: number
  readonly outbound: boolean
  readonly #infoHash: InfoHash
  readonly #ourPeerId: string
  readonly #hooks: SessionHooks
  #key: NodeId | undefined
  #identified = false
  #closed = false

  constructor(wire: Wire, infoHash: InfoHash, ourPeerId: string, hooks: SessionHooks) {
    this.wire = wire
    this.host = (wire.remoteAddress ?? '0.0.0.0').replace(/^::ffff:/i, '')
    this.port = wire.remotePort ?? 0
    this.outbound = wire.type.endsWith('Outgoing')
    this.#infoHash = infoHash
    this.#ourPeerId = ourPeerId
    this.#hooks = hooks
    wire.extendedHandshake.v = CLIENT_NAME
    wire.extendedHandshake.reqq = REQUESTS_MAX
    wire.use(this.#identityExtension())
    wire.on('extended', (name: string | number) => {
      if (name === 'handshake' && wire.peerExtendedMapping[IDENTITY_EXTENSION] === undefined) this.#settle()
    })
    for (const event of ['close', 'finish', 'end']) wire.once(event, () => this.#onClose())
  }

  /** For a peer without BEP 10: called once the session is known to its swarm. */
  start(): void {
    if (this.wire.peerExtensions.extended !== true) this.#settle()
  }

  /** The node key it proved, else its address. */
  get id(): PeerId {
    return this.#key ?? addressId(this.host)
  }

  get key(): NodeId | undefined {
    return this.#key
  }

  /** False while a peer may still prove a key. */
  get identified(): boolean {
    return this.#identified
  }

  get endpoint(): string {
    return endpointOf(this.host, this.port)
  }

  get closed(): boolean {
    return this.#closed
  }

  close(why: string): void {
    if (this.#closed) return
    closeWire(this.wire, why)
    this.#onClose()
  }

  /** Takes back every request that has not been answered. */
  cancelRequests(): void {
    for (const { piece, offset, length } of [...this.wire.requests]) this.wire.cancel(piece, offset, length)
  }

  describe(pieceCount: number, onParole: boolean): TorrentPeer {
    const { wire } = this
    const { v: client } = wire.peerExtendedHandshake
    return {
      id: this.id,
      host: this.host,
      port: this.port,
      client: client instanceof Uint8Array ? new TextDecoder().decode(client).slice(0, CLIENT_NAME_LENGTH_MAX) : '',
      completion: completionOf(wire, pieceCount),
      downloadBytesPerSecond: wire.downloadSpeed(),
      uploadBytesPerSecond: wire.uploadSpeed(),
      choked: wire.peerChoking,
      onParole,
    }
  }

  #identityExtension() {
    const session = this
    return class {
      get name() {
        return IDENTITY_EXTENSION
      }
      onExtendedHandshake() {
        session.#prove()
      }
      onMessage(message: Uint8Array) {
        session.#verify(message)
      }
    }
  }

  #prove(): void {
    const { wire } = this
    if (wire.peerId === null) return
    const connection = { infoHash: this.#infoHash, signerPeerId: this.#ourPeerId, verifierPeerId: wire.peerId }
    wire.extended(IDENTITY_EXTENSION, proveIdentity(this.#hooks.identity, connection))
  }

  #verify(message: Uint8Array): void {
    if (this.#identified) return
    const connection = { infoHash: this.#infoHash, signerPeerId: this.wire.peerId ?? '', verifierPeerId: this.#ourPeerId }
    const key = verifyIdentity(this.#hooks.identity, connection, message)
    if (key === undefined) this.#hooks.violated(this, 'an identity it could not prove')
    else {
      this.#key = key
      this.#settle()
    }
  }

  #settle(): void {
    if (this.#identified || this.#closed) return
    this.#identified = true
    this.#hooks.identified(this)
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#hooks.closed(this)
  }
}

function completionOf(wire: Wire, pieceCount: number): number {
  // A peer that sent `have all` has a bitfield without bits (bittorrent-protocol).
  if (wire.peerPieces.setAll === undefined) return 1
  return pieceCount === 0 ? 0 : Math.min(1, countBits(wire.peerPieces.buffer) / pieceCount)
}
