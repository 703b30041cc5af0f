import type { Wire } from 'webtorrent/lib/wire'
import type { ConversationState } from './message-bounds.ts'
import { MESSAGE_BYTES_MAX, rule, uint32 } from './message-bounds.ts'

// Stands between the socket and webtorrent's message handlers, from the first byte of a connection. A violation closes
// this connection and nothing else; no exception leaves it.

/** Chunks kept apart before they are joined: joining at each one costs quadratic time against a peer that sends bytes. */
const CHUNKS_MAX = 64

/** What the swarm adds to the rules once the handshake named the torrent. */
export type GuardContext = {
  readonly pieceCount: number | undefined
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
      bitfieldSeen: false,
      extendedHandshakes: 0,
      extensionName: (id) => wire.extendedMapping[id],
    }
    this.#hook()
  }

  attach(context: GuardContext): void {
    this.#context = context
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
      if (this.#admits(message)) onMessage.call(wire, message)
      else if (!this.#closed) wire._parse(4, wire._onMessageLength)
    }
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
      this.violate(`a message that webtorrent could not handle: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #admits(message: Uint8Array): boolean {
    if (this.#closed) return false
    const ruling = rule(message, this.#state)
    if (ruling === 'drop') return false
    if (ruling !== 'take') {
      this.violate(ruling.violation)
      return false
    }
    if (message[0] !== 6) return true
    this.#context?.serve(uint32(message, 1), uint32(message, 5), uint32(message, 9))
    return false
  }
}

/** Ends the connection at once: webtorrent's own `destroy` says good-bye first and leaves the wire in use till then. */
export function closeWire(wire: Wire, why: string): void {
  if (wire.listenerCount('error') > 0) wire.emit('error', new Error(why))
  else wire.destroy()
}
