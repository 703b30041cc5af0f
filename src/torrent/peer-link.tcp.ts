import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Rc4 } from './encryption/index.ts'
import { canonicalHost } from './endpoint.ts'
import type { PeerLink } from './swarm/peer.ts'
import { RateLimit } from './swarm/rate-limit.ts'

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

const NOTHING = { bytes: 0, of: [] }

/** Messages up to this length are put together before they are written: a write of its own costs half a kilobyte while it waits. */
const SMALL_BYTES_MAX = 512
const TOGETHER_BYTES_MAX = 64 * 1024

/** The bytes of one connection: small writes of one turn leave as one, and reading waits for the limit of downloads. */
export class StreamLink implements PeerLink {
  readonly host: string
  readonly port: number
  readonly outbound: boolean
  readonly #stream: PeerStream
  readonly #now: () => number
  #onDrain: () => void = () => {}
  #encrypt: Rc4 | undefined
  #isCorked = false
  #small: Uint8Array[] = []
  #smallBytes = 0
  #undrainedBytes = 0
  /** Taken of the limits before it is read. */
  #reserved: { bytes: number; of: readonly RateLimit[] } = NOTHING
  #isPaused = false
  #closed = false

  constructor(stream: PeerStream, { outbound, now }: { outbound: boolean; now: () => number }) {
    this.#stream = stream
    this.#now = now
    this.outbound = outbound
    this.host = canonicalHost(stream.remoteAddress ?? '0.0.0.0')
    this.port = stream.remotePort ?? 0
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
    this.#giveBack()
    this.#stream.destroy()
  }

  /** So many bytes came. @returns false if nothing more is read until `resume` was called on the stream, which it will be */
  limit(bytes: number, downloads: readonly RateLimit[], after: (waitMs: number, run: () => void) => void): boolean {
    if (!downloads.some(({ isLimited }) => isLimited)) return true
    this.#giveBack()
    for (const each of downloads) each.take(bytes, this.#now())
    if (this.#isPaused) return false
    if (RateLimit.waitMs(downloads, this.#now()) === 0) return true
    this.#isPaused = true
    this.#stream.pause()
    const look = () => {
      if (this.#closed) return
      const waitMs = RateLimit.waitMs(downloads, this.#now())
      if (waitMs > 0) {
        after(waitMs, look)
        return
      }
      // What is read next is taken already: all that wait for the same limit would else go on at once.
      this.#reserved = { bytes, of: downloads }
      for (const each of downloads) each.take(bytes, this.#now())
      this.#isPaused = false
      this.#stream.resume()
    }
    look()
    return false
  }

  #giveBack(): void {
    const { bytes, of } = this.#reserved
    this.#reserved = NOTHING
    for (const each of of) each.take(-bytes, this.#now())
  }
}
