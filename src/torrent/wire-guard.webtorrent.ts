import type { Wire } from 'webtorrent/lib/wire'
import { held } from './held-callback.ts'
import type { ConversationState } from './message-bounds.ts'
import { MESSAGE_BYTES_MAX, rule, uint32 } from './message-bounds.ts'
import { PieceClaims } from './piece-claims.ts'

// Stands between the socket and webtorrent's message handlers, from the first byte of a connection. A violation closes
// this connection and nothing else; no exception leaves it.

/** Chunks kept apart before they are joined: joining at each one costs quadratic time against a peer that sends bytes. */
const CHUNKS_MAX = 64

/** What the swarm adds to the rules once the handshake named the torrent. */
export type GuardContext = {
  readonly pieceCount: number | undefined
  /** Bytes of the info dictionary. */
  readonly metadataBytes: number | undefined
  pieceBytes(index: number): number
  /** A well-formed request; webtorrent never sees it. */
  serve(index: number, offset: number, length: number): void
}

export class WireGuard {
  readonly #wire: Wire
  readonly #onViolation: (what: string) => void
  readonly #state: ConversationState
  #context: GuardContext | undefined
  #closed = false

  constructor(wire: Wire, onViolation: (what: string) => void) {
    this.#wire = wire
    this.#onViolation = onViolation
    const guard = this
    this.#state = {
      get pieceCount() {
        return guard.#context?.pieceCount
      },
      pieceBytes: (index) => guard.#context?.pieceBytes(index) ?? 0,
      get ourMetadataBytes() {
        return guard.#context?.metadataBytes
      },
      theirMetadataBytes: undefined,
      claims: new PieceClaims(),
      extendedHandshakes: 0,
      extensionName: (id) => wire.extendedMapping[id],
    }
    this.#hook()
  }

  attach(context: GuardContext): void {
    this.#context = context
  }

  /** Judges what the peer said before it was known how many pieces there are. */
  metainfoKnown(): void {
    const { pieceCount, claims } = this.#state
    const problem = pieceCount === undefined ? undefined : claims.problemWith(pieceCount)
    if (problem !== undefined) this.violate(problem)
  }

  /** A callback of webtorrent outside of `_write`, made from what this peer sent: what it throws closes the connection. */
  hold<Args extends readonly unknown[]>(run: (...args: Args) => unknown): (...args: Args) => void {
    return held<Args>(run, (reason) => this.violate(unhandled(reason)))
  }

  /** Closes the connection for something that was no single message's fault. */
  violate(what: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#wire._parse(Number.MAX_VALUE, () => {})
    this.#wire._buffer = []
    this.#wire._bufferSize = 0
    this.#onViolation(what)
    closeWire(this.#wire, what)
  }

  #hook(): void {
    const wire = this.#wire
    const onMessageLength = wire._onMessageLength
    const onMessage = wire._onMessage
    wire._write = (data, done) => {
      this.#read(data)
      done(null)
    }
    wire._onMessageLength = (prefix) => {
      const length = uint32(prefix, 0)
      if (length > MESSAGE_BYTES_MAX) this.violate(`a message of ${length} bytes`)
      else onMessageLength.call(wire, prefix)
    }
    wire._onMessage = (message) => {
      const admitted = this.#admitted(message)
      if (admitted !== undefined) onMessage.call(wire, admitted)
      else if (!this.#closed) wire._parse(4, wire._onMessageLength)
    }
    wire._onTimeout = this.hold(wire._onTimeout.bind(wire))
  }

  #read(data: Uint8Array): void {
    const wire = this.#wire
    if (this.#closed) return
    wire._buffer.push(data)
    wire._bufferSize += data.length
    if (wire._bufferSize < wire._parserSize && wire._buffer.length < CHUNKS_MAX) return
    if (wire._buffer.length > 1) wire._buffer = [Buffer.concat(wire._buffer, wire._bufferSize)]
    try {
      wire._processBuffer()
    } catch (error) {
      this.violate(unhandled(error instanceof Error ? error.message : String(error)))
    }
  }

  /** What webtorrent gets to see of this message, undefined for nothing. */
  #admitted(message: Uint8Array): Uint8Array | undefined {
    if (this.#closed) return undefined
    const ruling = rule(message, this.#state)
    if (ruling === 'drop') return undefined
    if (ruling === 'take') {
      if (message[0] !== 6) return message
      this.#context?.serve(uint32(message, 1), uint32(message, 5), uint32(message, 9))
      return undefined
    }
    if ('rewritten' in ruling) return ruling.rewritten
    this.violate(ruling.violation)
    return undefined
  }
}

export const unhandled = (reason: string): string => `what webtorrent could not handle: ${reason}`

/** Ends the connection at once: webtorrent's own `destroy` says good-bye first and leaves the wire in use till then. */
export function closeWire(wire: Wire, why: string): void {
  if (wire.listenerCount('error') > 0) wire.emit('error', new Error(why))
  else wire.destroy()
}
