import { ControlError } from './control-error.ts'
import { type Unread, type Unwritten, unreadSentence, WAITING_STREAM_BYTES } from './unread.ts'

/** Where an outbox writes: a socket. */
export type LineSink = {
  readonly writable: boolean
  /** @returns false if the sink has enough for now. @param done the line has left, or never will */
  write(line: string, done: (error?: Error | null) => void): boolean
}

/** The lines for one caller: each is counted from when it is written until the system has taken it. */
export class Outbox {
  readonly #sink: LineSink
  readonly #all: Unread
  #unreadBytes = 0

  constructor(sink: LineSink, all: Unread) {
    this.#sink = sink
    this.#all = all
  }

  /** Bytes of lines that have not left. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /**
   * Resolves when there is room for the next line.
   * @throws ControlError `UNREAD` if too much is unread, `GONE` once the caller is
   */
  async value(line: string): Promise<void> {
    const bytes = Buffer.byteLength(line) + 1
    const refused = this.refusal(bytes + WAITING_STREAM_BYTES)
    if (refused !== undefined) throw new ControlError('UNREAD', unreadSentence(refused))
    const { hasRoom, left } = this.#write(line, bytes)
    if (hasRoom) {
      // Who goes away is told of at the next line.
      left.catch(() => {})
      return
    }
    this.#count(WAITING_STREAM_BYTES)
    try {
      await left
    } finally {
      this.#count(-WAITING_STREAM_BYTES)
    }
  }

  /** Resolves when the line has left, however much is unread. @throws ControlError `GONE` once the caller is */
  async last(line: string): Promise<void> {
    await this.#write(line, Buffer.byteLength(line) + 1).left
  }

  /** The bound that so many bytes more would pass, or undefined. */
  refusal(bytes: number): Unwritten | undefined {
    return this.#all.refusal(bytes, this.#unreadBytes)
  }

  #write(line: string, bytes: number): { hasRoom: boolean; left: Promise<void> } {
    if (!this.#sink.writable) throw new ControlError('GONE', 'the caller is gone')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#count(bytes)
    const hasRoom = this.#sink.write(`${line}\n`, (error) => {
      this.#count(-bytes)
      if (error) reject(new ControlError('GONE', 'the caller is gone'))
      else resolve()
    })
    return { hasRoom, left: promise }
  }

  #count(bytes: number): void {
    this.#unreadBytes += bytes
    this.#all.count(bytes)
  }
}
