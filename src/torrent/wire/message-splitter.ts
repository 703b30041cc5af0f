import { MESSAGE_BYTES_MAX } from '../message-bounds.ts'
import { HANDSHAKE_BYTES } from './handshake.ts'

/** Bytes are the caller's again after the call. */
export type SplitterSink = {
  /** The first 68 bytes. */
  handshake(bytes: Uint8Array): void
  /** A message without its length prefix, one byte at least. */
  message(bytes: Uint8Array): void
  /** Nothing more of this stream can be read. */
  violation(what: string): void
}

const PREFIX_BYTES = 4

/** Cuts the stream of a peer into its handshake and messages (BEP 3). Keeps one message at most, of a bounded length. */
export class MessageSplitter {
  readonly #sink: SplitterSink
  #scratch = new Uint8Array(HANDSHAKE_BYTES)
  /** Bytes in the scratch, and how many are needed before they mean something. */
  #have = 0
  #need = HANDSHAKE_BYTES
  #isHandshake = true
  #stopped = false

  constructor(sink: SplitterSink) {
    this.#sink = sink
  }

  /** Nothing is told any more, also of what was pushed already. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * Nothing is pushed any more, and nobody hears anything now: its memory is given back at once. Left to the collector, that of
   * thousands of short connections stands side by side, and what is in between is never free again as a whole.
   */
  end(): void {
    this.#stopped = true
    this.#replaceScratch(new Uint8Array(0))
  }

  #replaceScratch(scratch: Uint8Array<ArrayBuffer>): void {
    this.#scratch.buffer.transfer(0)
    this.#scratch = scratch
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.#stopped)
      at = this.#have === 0 && !this.#isHandshake ? this.#whole(chunk, at) : this.#gather(chunk, at)
  }

  /** A message that lies in the chunk as a whole is not copied. */
  #whole(chunk: Uint8Array, at: number): number {
    if (chunk.length - at < PREFIX_BYTES) return this.#gather(chunk, at)
    const length = uint32(chunk, at)
    const from = at + PREFIX_BYTES
    if (length > chunk.length - from || length > MESSAGE_BYTES_MAX) return this.#gather(chunk, at)
    if (length > 0) this.#sink.message(chunk.subarray(from, from + length))
    return from + length
  }

  #gather(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#need - this.#have, chunk.length - at)
    this.#scratch.set(chunk.subarray(at, at + taken), this.#have)
    this.#have += taken
    if (this.#have === this.#need) this.#gathered()
    return at + taken
  }

  #gathered(): void {
    if (this.#isHandshake) {
      this.#isHandshake = false
      this.#begin()
      this.#sink.handshake(this.#scratch.subarray(0, HANDSHAKE_BYTES))
      return
    }
    if (this.#need > PREFIX_BYTES) {
      const message = this.#scratch.subarray(PREFIX_BYTES, this.#need)
      this.#begin()
      this.#sink.message(message)
      return
    }
    const length = uint32(this.#scratch, 0)
    if (length > MESSAGE_BYTES_MAX) {
      this.#stopped = true
      this.#sink.violation(`a message of ${length} bytes`)
      return
    }
    if (length === 0) {
      this.#begin()
      return
    }
    this.#need = PREFIX_BYTES + length
    if (this.#scratch.length >= this.#need) return
    const larger = new Uint8Array(this.#need)
    larger.set(this.#scratch.subarray(0, PREFIX_BYTES))
    this.#replaceScratch(larger)
  }

  #begin(): void {
    this.#have = 0
    this.#need = PREFIX_BYTES
  }
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0
