import { randomBytes } from 'node:crypto'
import { fromHex, type InfoHash, toHex } from '../events/index.ts'
import type { DhKeys, MseMethods, Rc4 } from './encryption/index.ts'
import { MseInitiator, MseResponder, sniff } from './encryption/index.ts'
import type { Encryption } from './engine.ts'
import { type PeerStream, StreamLink } from './peer-link.tcp.ts'
import { sha1 } from './sha1.system.ts'
import type { Peer } from './swarm/peer.ts'
import type { PeerSwarm } from './swarm/peer-swarm.ts'
import type { TransferFlow } from './swarm/transfer-turns.ts'
import { decodeHandshake, encodeHandshake, type Handshake } from './wire/handshake.ts'
import { HeldMessages } from './wire/held-messages.ts'
import { MessageSplitter } from './wire/message-splitter.ts'

/** Until the other side has said which torrent it wants. */
const HANDSHAKE_MS = 10_000
/** What an inbound connection is told apart by. */
const OPENING_BYTES = 20

/** What may come of a peer while the torrent that it has named is opened. */
const HELD_BYTES_MAX = 128 * 1024

/** How a connection begins. */
export type Opening = {
  outbound: boolean
  /** Of a connection that we made. */
  swarm: PeerSwarm | undefined
  /** One that we made opens with an encrypted handshake. */
  encrypts: boolean
  encryption: Encryption
  onJoined?: () => void
}

type ConnectionOptions = Opening & {
  peerId: Uint8Array
  keys: DhKeys
  /** The open torrent with this hash of its key. */
  infoHashOf(hashOfKey: Uint8Array): InfoHash | undefined
  swarmOf(infoHash: InfoHash): PeerSwarm | undefined
  /** Opens a seed at rest for it, after which `swarmOf` has it; undefined if that cannot be. */
  wake(infoHash: InfoHash): Promise<unknown> | undefined
  /** Of what is read before it has named its torrent. */
  downloads: TransferFlow
  now(): number
  after(waitMs: number, run: () => void): () => void
  onRejected(): void
}

/**
 * From the first byte of a stream to its last. Inbound ones are told apart by their first bytes; where both sides may, the stream
 * goes on in the clear behind an encrypted handshake.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #stream: PeerStream
  readonly #link: StreamLink
  readonly #splitter: MessageSplitter
  readonly #cancelWait: () => void
  readonly #madeAt: number
  #swarm: PeerSwarm | undefined
  #peer: Peer | undefined
  /** First bytes that may be one thing or the other. */
  #opening: Uint8Array | undefined
  #mse: MseInitiator | MseResponder | undefined
  #decrypt: Rc4 | undefined
  /** What comes of it while the torrent that it has named is opened. */
  #held: HeldMessages | undefined
  #wasAnswered = false

  constructor(stream: PeerStream, options: ConnectionOptions) {
    this.#options = options
    this.#stream = stream
    this.#link = new StreamLink(stream, options)
    this.#madeAt = options.now()
    this.#splitter = new MessageSplitter({
      handshake: (bytes) => this.#handshake(bytes),
      message: (message) => {
        if (this.#held !== undefined) {
          if (!this.#held.add(message)) this.#refuse()
        } else if (this.#peer === undefined || this.#peer.closed) this.#splitter.stop()
        else this.#peer.message(message)
      },
      violation: (what) => {
        if (this.#peer !== undefined) this.#swarm?.violated(this.#peer, what)
        else this.#refuse()
      },
    })
    this.#cancelWait = options.after(HANDSHAKE_MS, () => {
      if (this.#peer === undefined) this.#link.close()
    })
    this.#link.onDrain = () => {
      if (this.#peer !== undefined) this.#swarm?.drained(this.#peer)
    }
    stream.on('error', () => {})
    stream.on('data', (chunk: Uint8Array) => {
      this.received(chunk)
    })
    stream.once('end', () => this.#link.close())
    stream.once('close', () => this.#ended())
    const { swarm, encrypts, encryption, peerId, keys } = options
    if (swarm === undefined) {
      this.#opening = new Uint8Array(0)
      return
    }
    const infoHash = fromHex(swarm.infoHash)
    const hello = encodeHandshake(infoHash, peerId)
    if (!encrypts) this.#link.send(hello)
    else {
      const offer = methodsOf(encryption)
      const mse = new MseInitiator({ infoHash, offer, initialPayload: hello, keys, randomBytes, sha1 })
      this.#mse = mse
      this.#link.send(mse.start())
    }
  }

  /** The other side has said what it speaks, and it is what we speak. */
  get wasAnswered(): boolean {
    return this.#wasAnswered
  }

  get hasJoined(): boolean {
    return this.#peer !== undefined
  }

  /** When it last gave or took a block, or was made, ms. */
  get usedAt(): number {
    return this.#peer?.usedAt ?? this.#madeAt
  }

  /** It has proved the key of a node. */
  get isProven(): boolean {
    return this.#peer?.key !== undefined
  }

  /** @returns false if nothing more is read for now */
  received(chunk: Uint8Array): boolean {
    const goesOn = this.#link.limit(chunk.length, this.#swarm?.downloads ?? this.#options.downloads)
    try {
      this.#take(chunk)
      if (this.#link.closed) this.#splitter.stop()
      if (this.#peer !== undefined) this.#swarm?.chunkEnds(this.#peer)
    } catch {
      // Whatever fault of ours a peer has found ends its connection, and nothing else.
      this.#refuse()
    }
    return goesOn
  }

  #take(chunk: Uint8Array): void {
    if (this.#opening !== undefined) this.#open(this.#opening, chunk)
    else if (this.#mse !== undefined) this.#agree(this.#mse, chunk)
    else this.#splitter.push(this.#decrypt === undefined ? chunk : this.#decrypt.apply(chunk))
  }

  /** It looks at so many bytes and no more. */
  #open(before: Uint8Array, chunk: Uint8Array): void {
    const bytes = before.length === 0 ? chunk : Buffer.concat([before, chunk])
    const what = sniff(bytes)
    // A copy: what is read is the next read's.
    this.#opening = what === 'more' ? Uint8Array.from(bytes.subarray(0, OPENING_BYTES)) : undefined
    if (what === 'more') return
    const { keys, infoHashOf, encryption } = this.#options
    if (encryption === (what === 'plain' ? 'require' : 'refuse')) {
      // No fault of the peer's: it tries the other way next, if it can.
      this.#hangUp()
      return
    }
    if (what === 'plain') {
      this.#splitter.push(bytes)
      return
    }
    this.#mse = new MseResponder({
      infoHashOf: (key) => {
        const infoHash = infoHashOf(key)
        return infoHash === undefined ? undefined : fromHex(infoHash)
      },
      ...{ accept: methodsOf(encryption), keys, randomBytes, sha1 },
    })
    this.#agree(this.#mse, bytes)
  }

  #agree(mse: MseInitiator | MseResponder, bytes: Uint8Array): void {
    const step = mse.receive(bytes)
    if (step.send !== undefined) this.#link.send(step.send)
    if (step.state === 'more') return
    this.#mse = undefined
    if (step.state === 'failed') {
      this.#hangUp()
      return
    }
    this.#decrypt = step.decrypt
    this.#link.encrypt = step.encrypt
    this.#splitter.push(step.incoming)
  }

  #handshake(bytes: Uint8Array): void {
    const { swarm: wanted, swarmOf, peerId, onJoined } = this.#options
    const handshake = decodeHandshake(bytes)
    this.#wasAnswered = true
    const infoHash = handshake && (toHex(handshake.infoHash) as InfoHash)
    const swarm = infoHash === undefined ? undefined : (wanted ?? swarmOf(infoHash))
    if (handshake !== undefined && infoHash !== undefined && swarm?.takesPeers !== true && wanted === undefined) {
      const waking = this.#options.wake(infoHash)
      if (waking !== undefined) {
        void this.#waitFor(waking, infoHash, handshake)
        return
      }
    }
    if (handshake === undefined || swarm === undefined || swarm.infoHash !== infoHash) {
      // Another torrent's: no fault.
      this.#hangUp()
      return
    }
    if (wanted === undefined) this.#link.send(encodeHandshake(handshake.infoHash, peerId))
    this.#join(swarm, handshake)
    onJoined?.()
  }

  /** It goes on when the torrent is open; nothing more is read until then. */
  async #waitFor(waking: Promise<unknown>, infoHash: InfoHash, handshake: Handshake): Promise<void> {
    this.#held = new HeldMessages(HELD_BYTES_MAX)
    this.#stream.pause()
    await waking
    const held = this.#held
    this.#held = undefined
    if (this.#link.closed || held === undefined) return
    const swarm = this.#options.swarmOf(infoHash)
    if (swarm === undefined) {
      this.#hangUp()
      return
    }
    try {
      this.#link.send(encodeHandshake(handshake.infoHash, this.#options.peerId))
      this.#join(swarm, handshake)
      for (const message of held) if (this.#peer?.closed === false) this.#peer.message(message)
      if (this.#peer !== undefined) this.#swarm?.chunkEnds(this.#peer)
    } catch {
      this.#refuse()
    }
    if (!this.#link.closed) this.#stream.resume()
  }

  #join(swarm: PeerSwarm, handshake: Handshake): void {
    this.#swarm = swarm
    this.#peer = swarm.joins(this.#link, handshake, toHex(handshake.peerId))
    if (this.#peer === undefined) this.#splitter.stop()
  }

  #refuse(): void {
    this.#options.onRejected()
    this.#hangUp()
  }

  #hangUp(): void {
    this.#splitter.stop()
    this.#link.close()
  }

  #ended(): void {
    this.#cancelWait()
    this.#hangUp()
    this.#splitter.end()
    if (this.#peer !== undefined) this.#swarm?.left(this.#peer)
  }
}

/** Who requires encryption wants the stream behind the handshake encrypted too; else the clear, which costs nothing, will do. */
const methodsOf = (encryption: Encryption): MseMethods => (encryption === 'require' ? 'rc4' : 'both')
