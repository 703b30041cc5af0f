import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Rc4 } from './encryption/index.ts'
import { canonicalHost } from './endpoint.ts'
import { type PeerClass, peerClassOf } from './peer-class.ts'
import type { PeerLink } from './swarm/peer.ts'
import type { Transfer, TransferFlow } from './swarm/transfer-turns.ts'

/** What a stream below may be: a socket, or what a hole through a router gave. */
export type PeerStream = Pick<Socket, 'write'> &
  Pick<EventEmitter, 'on' | 'once'> & {
    destroy(error?: Error): unknown
    readonly remoteAddress?: string | undefined
    readonly remotePort?: number | undefined
    /** Bytes that were written and have not left; a stream without it tells by `drain`. */
    readonly writableLength?: number
    /** See PeerLink. */
    readonly prefersRuns?: boolean
    cork?(): void
    uncork?(): void
    pause(): unknown
    resume(): unknown
  }

const NOTHING = { bytes: 0, of: undefined }

/** Messages up to this length are put together before they are written: a write of its own costs half a kilobyte while it waits. */
const SMALL_BYTES_MAX = 512
const TOGETHER_BYTES_MAX = 64 * 1024

/** The bytes of one connection: small writes of one turn leave as one, and reading waits for the limit of downloads. */
export class StreamLink implements PeerLink, Transfer {
  readonly host: string
  readonly port: number
  readonly outbound: boolean
  readonly peerClass: PeerClass
  readonly #stream: PeerStream
  #onDrain: () => void = () => {}
  #encrypt: Rc4 | undefined
  #isCorked = false
  #small: Uint8Array[] = []
  #smallBytes = 0
  #undrainedBytes = 0
  /** Taken of the limits before it is read. */
  #reserved: { bytes: number; of: TransferFlow | undefined } = NOTHING
  #waitsFor: TransferFlow | undefined
  /** What came last, as a guess at what comes next. */
  #readBytes = 0
  #isPaused = false
  #closed = false

  constructor(stream: PeerStream, { outbound }: { outbound: boolean }) {
    this.#stream = stream
    this.outbound = outbound
    this.host = canonicalHost(stream.remoteAddress ?? '0.0.0.0')
    this.port = stream.remotePort ?? 0
    this.peerClass = peerClassOf(this.host)
    stream.on('drain', () => {
      this.#undrainedBytes = 0
      this.#onDrain()
    })
  }

  /** Called when there is room for more. */
  set onDrain(onDrain: () => void) {
    this.#onDrain = onDrain
  }

  /** Once both sides have agreed on it; of what was sent before, nothing is. */
  set encrypt(cipher: Rc4 | undefined) {
    this.#writeSmall()
    this.#encrypt = cipher
  }

  get prefersRuns(): boolean {
    return this.#stream.prefersRuns ?? false
  }

  get closed(): boolean {
    return this.#closed
  }

  get unsentBytes(): number {
    return this.#smallBytes + (this.#stream.writableLength ?? this.#undrainedBytes)
  }

  send(bytes: Uint8Array, onSent?: () => void): void {
    if (this.#closed) return
    this.#cork()
    if (onSent === undefined && bytes.length <= SMALL_BYTES_MAX) {
      this.#small.push(bytes)
      this.#smallBytes += bytes.length
      if (this.#smallBytes >= TOGETHER_BYTES_MAX) this.#writeSmall()
      return
    }
    this.#writeSmall()
    this.#write(bytes, onSent)
  }

  /** All that is sent in one turn leaves as one. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#stream.cork?.()
    process.nextTick(() => {
      this.#isCorked = false
      if (!this.#closed) this.#writeSmall()
      this.#stream.uncork?.()
    })
  }

  #writeSmall(): void {
    const [first] = this.#small
    if (first === undefined) return
    const bytes = this.#small.length === 1 ? first : Buffer.concat(this.#small, this.#smallBytes)
    this.#small = []
    this.#smallBytes = 0
    this.#write(bytes, undefined)
  }

  #write(bytes: Uint8Array, onSent: (() => void) | undefined): void {
    const stream = this.#stream
    // Others may hold the same bytes, but for those that are told of: then what is encrypted is a copy.
    const sent =
      this.#encrypt === undefined ? bytes : this.#encrypt.apply(onSent === undefined ? Uint8Array.from(bytes) : bytes)
    // A stream that failed may still look at them.
    const written = onSent && ((error?: Error | null) => error == null && onSent())
    if (!(written === undefined ? stream.write(sent) : stream.write(sent, written))) this.#undrainedBytes += sent.length
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waitsFor?.cancel(this)
    this.#giveBack(0)
    this.#stream.destroy()
  }

  /** So many bytes came. @returns false if nothing more is read until `resume` was called on the stream, which it will be */
  limit(bytes: number, flow: TransferFlow): boolean {
    this.#giveBack(bytes)
    if (!flow.isLimited(this.peerClass)) return true
    flow.take(this.peerClass, bytes)
    if (this.#waitsFor !== undefined) return false
    if (flow.mayGo(this.peerClass)) return true
    this.#waitsFor = flow
    this.#readBytes = bytes
    flow.wait(this)
    // Its turn may have come at once.
    if (this.#waitsFor === undefined) return true
    this.#isPaused = true
    this.#stream.pause()
    return false
  }

  /** Its turn to read has come. What is read next is taken already: all that wait for the same limit would else go on at once. */
  run(): number {
    const flow = this.#waitsFor
    this.#waitsFor = undefined
    if (flow === undefined || this.#closed) return 0
    const bytes = this.#readBytes
    this.#reserved = { bytes, of: flow }
    flow.take(this.peerClass, bytes)
    if (this.#isPaused) {
      this.#isPaused = false
      this.#stream.resume()
    }
    return bytes
  }

  /** @param usedBytes of what was taken before, and beyond it */
  #giveBack(usedBytes: number): void {
    const { bytes, of } = this.#reserved
    this.#reserved = NOTHING
    of?.take(this.peerClass, -bytes)
    of?.overdrew(usedBytes - bytes)
  }
}
