import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Rc4 } from './encryption/index.ts'
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

/** The bytes of one connection: small writes of one turn leave as one, and reading waits for the limit of downloads. */
export class StreamLink implements PeerLink {
  readonly host: string
  readonly port: number
  readonly outbound: boolean
  readonly #stream: PeerStream
  readonly #now: () => number
  #onDrain: () => void = () => {}
  /** Set once both sides have agreed on it. */
  encrypt: Rc4 | undefined
  #isCorked = false
  #undrainedBytes = 0
  #closed = false

  constructor(stream: PeerStream, { outbound, now }: { outbound: boolean; now: () => number }) {
    this.#stream = stream
    this.#now = now
    this.outbound = outbound
    this.host = (stream.remoteAddress ?? '0.0.0.0').replace(/^::ffff:/i, '')
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

  get prefersRuns(): boolean {
    return this.#stream.prefersRuns ?? false
  }

  get closed(): boolean {
    return this.#closed
  }

  get unsentBytes(): number {
    return this.#stream.writableLength ?? this.#undrainedBytes
  }

  send(bytes: Uint8Array, onSent?: () => void): void {
    if (this.#closed) return
    const stream = this.#stream
    if (!this.#isCorked && stream.cork !== undefined) {
      this.#isCorked = true
      stream.cork()
      process.nextTick(() => {
        this.#isCorked = false
        stream.uncork?.()
      })
    }
    // Others may hold the same bytes, but for those that are told of: then what is encrypted is a copy.
    const sent = this.encrypt === undefined ? bytes : this.encrypt.apply(onSent === undefined ? Uint8Array.from(bytes) : bytes)
    // A stream that failed may still look at them.
    const written = onSent && ((error?: Error | null) => error == null && onSent())
    if (!(written === undefined ? stream.write(sent) : stream.write(sent, written))) this.#undrainedBytes += sent.length
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stream.destroy()
  }

  /** So many bytes came. @returns false if nothing more is read until `resume` was called on the stream, which it will be */
  limit(bytes: number, downloads: readonly RateLimit[], after: (waitMs: number, run: () => void) => void): boolean {
    if (!downloads.some(({ isLimited }) => isLimited)) return true
    for (const each of downloads) each.take(bytes, this.#now())
    const waitMs = RateLimit.waitMs(downloads, this.#now())
    if (waitMs === 0) return true
    this.#stream.pause()
    after(waitMs, () => {
      if (!this.#closed) this.#stream.resume()
    })
    return false
  }
}
