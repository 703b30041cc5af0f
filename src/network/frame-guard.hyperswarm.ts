import { EventEmitter } from 'node:events'
import type { SecretStream } from 'hyperdht'
import type { MuxStream } from 'protomux'
import { type LinkLoss, MESSAGE_BYTES_MAX } from './transport.ts'

/** Channel and message number in front of a message take two bytes; the rest is air for the control frames. */
const FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 64

/** Bytes of one frame that have come without completing it; a chunk of the socket may hold the start of the next one. */
const PARTIAL_BYTES_MAX = FRAME_BYTES_MAX + (64 << 10)

/** An honest peer opens one channel and closes it: two control frames a link. */
const CONTROL_FRAMES_MAX = 16

const CONTROL = 0
const OPEN = 1
const CLOSE = 3
const CHANNEL_ID_MAX = CONTROL_FRAMES_MAX

/**
 * Stands between an encrypted stream and its protomux, and lets through only frames that an honest peer sends.
 * Protomux has no bound on frames, batches or channels, and rethrows any RangeError or TypeError outside of every
 * handler: batches nested in batches overflow its stack and would end the process. We never send batches.
 */
export class FrameGuard extends EventEmitter implements MuxStream {
  userData: unknown = null
  readonly #stream: SecretStream
  readonly #allow: (bytes: number, messages: number) => boolean
  readonly #refuse: (why: LinkLoss) => void
  #refused = false
  #controlFrames = 0
  #partialBytes = 0
  #bytesRead = 0

  /**
   * @param allow charges what came in; false means the peer is over its rate
   * @param refuse called once, with the reason; must destroy the stream
   */
  constructor(stream: SecretStream, allow: (bytes: number, messages: number) => boolean, refuse: (why: LinkLoss) => void) {
    super()
    this.#stream = stream
    this.#allow = allow
    this.#refuse = refuse
    // Bytes are charged as they come off the socket: keep-alives and frames never completed reach nobody above.
    // Not before the stream is open: a listener makes the socket flow, and the first bytes are the stream's.
    void stream.opened.then((open) => {
      if (open) stream.rawStream?.on('data', (chunk: Uint8Array) => this.#onChunk(chunk.byteLength))
    })
    stream.on('data', (frame: Uint8Array) => this.#onFrame(frame))
    for (const event of ['drain', 'end', 'error', 'close']) stream.on(event, (detail?: unknown) => this.emit(event, detail))
  }

  get destroyed(): boolean {
    return this.#refused || this.#stream.destroyed
  }

  alloc(bytes: number): Buffer {
    return this.#stream.alloc(bytes)
  }

  write(bytes: Uint8Array): boolean {
    return this.#stream.write(bytes)
  }

  /** Not handed on: below, UDX goes on receiving and buffers without a bound what nobody counts. */
  pause(): void {}

  resume(): void {}

  end(): void {
    this.#stream.end()
  }

  /** Protomux calls this for frames it cannot make sense of. */
  destroy(): void {
    this.#stop('malformed')
  }

  #onChunk(bytes: number): void {
    if (this.#refused) return
    if (this.#stream.rawBytesRead !== this.#bytesRead) {
      this.#bytesRead = this.#stream.rawBytesRead
      this.#partialBytes = 0
    }
    this.#partialBytes += bytes
    if (this.#partialBytes > PARTIAL_BYTES_MAX) this.#stop('oversized')
    else if (!this.#allow(bytes, 0)) this.#stop('flood')
  }

  #onFrame(frame: Uint8Array): void {
    if (this.#refused) return
    if (frame.byteLength > FRAME_BYTES_MAX) this.#stop('oversized')
    else if (!this.#allow(0, 1)) this.#stop('flood')
    else if (!this.#isPlain(frame)) this.#stop('malformed')
    else this.emit('data', frame)
  }

  #isPlain(frame: Uint8Array): boolean {
    const [first = CONTROL, type = 0, channel = 0] = frame
    // Channels have numbers of one byte. Longer spellings are refused: one of them, fd 00 00, is a control frame too.
    if (first !== CONTROL) return frame.byteLength >= 2 && first <= CHANNEL_ID_MAX
    if (type < OPEN || type > CLOSE || channel < 1 || channel > CHANNEL_ID_MAX) return false
    return ++this.#controlFrames <= CONTROL_FRAMES_MAX
  }

  #stop(why: LinkLoss): void {
    if (this.#refused) return
    this.#refused = true
    this.#refuse(why)
  }
}
