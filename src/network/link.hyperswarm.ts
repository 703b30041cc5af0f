import type { SecretStream } from 'hyperdht'
import Protomux, { type Encoding } from 'protomux'
import { type Clock, CREDENTIAL_FAULTS, type CredentialFault, type NodeId, type Timers, toHex } from '../events/index.ts'
import { FrameGuard } from './frame-guard.hyperswarm.ts'
import type { TransportLimits } from './limits.hyperswarm.ts'
import { SendQueue } from './send-queue.hyperswarm.ts'
import { TokenBucket } from './token-bucket.hyperswarm.ts'
import { type Doorkeeper, type Link, type LinkLoss, MESSAGE_BYTES_MAX } from './transport.ts'

/** The one protomux channel of a link; the number changes with the wire format. */
const PROTOCOL = 'p2pt/1'

/** The rest of the frame that opens the channel, whatever it is: never throws, and the frame's length is bounded. */
export const CREDENTIAL: Encoding = {
  preencode(state, credential) {
    state.end += credential.length
  },
  encode(state, credential) {
    state.buffer.set(credential, state.start)
    state.start += credential.length
  },
  decode(state) {
    const credential = new Uint8Array(state.buffer.subarray(state.start, state.end))
    state.start = state.end
    return credential
  },
}

/** Answer to a credential that is good; higher numbers say what is wrong with it (CREDENTIAL_FAULTS, from 1). */
const LET_IN = 0

/** For the one message that says why to leave the machine, ms. */
const REFUSAL_MS = 1_000

export interface LinkEvents {
  /** Asked before the peer is let in: it has shown who it is. */
  hasRoom(link: HyperswarmLink): boolean
  /** Both sides have opened the channel. */
  opened(link: HyperswarmLink): void
  message(link: HyperswarmLink, bytes: Uint8Array): void
  /** The peer was not let in, or did not let us in; `closed` follows. */
  refused(link: HyperswarmLink, why: CredentialFault, by: 'us' | 'peer'): void
  /** Called exactly once, also if the channel never opened. */
  closed(link: HyperswarmLink, why: LinkLoss): void
}

type Parts = { limits: TransportLimits; door: Doorkeeper; clock: Clock; timers: Timers; events: LinkEvents }

/** One encrypted connection and the channel on it, with its rates, its queue and its reason to end. */
export class HyperswarmLink {
  readonly peer: NodeId
  readonly initiator: boolean
  /** ms since 1970 when the connection was adopted */
  readonly since: number
  state: 'opening' | 'open' | 'closed' = 'opening'
  /** It was taken, and whoever uses the transport has been told of it. */
  isTold = false
  /** It ended because the peer sent what no honest peer sends. */
  misbehaved = false
  readonly #stream: SecretStream
  readonly #events: LinkEvents
  readonly #queue: SendQueue
  readonly #cancelOpenTimeout: () => void
  readonly #answer: (verdict: number) => void
  /** The peer's credential is good; ours is, by its word. */
  #letsIn = false
  #isLetIn = false
  readonly #door: Doorkeeper
  readonly #timers: Timers
  #host = ''
  #port = 0

  constructor(stream: SecretStream, { limits, door, clock, timers, events }: Parts) {
    this.peer = toHex(stream.remotePublicKey) as NodeId
    this.initiator = stream.isInitiator
    this.since = clock.now()
    this.#stream = stream
    this.#events = events
    this.#door = door
    this.#timers = timers
    this.#host = stream.rawStream?.remoteHost ?? ''
    this.#port = stream.rawStream?.remotePort ?? 0
    stream.on('error', (error: Error) => this.#end(lossOf(error)))
    stream.on('close', () => this.#end('remote'))
    stream.setKeepAlive(limits.keepAliveMs)
    stream.setTimeout(limits.silenceMsMax)

    const messagesIn = new TokenBucket(limits.messagesIn, clock.now())
    const bytesIn = new TokenBucket(limits.bytesIn, clock.now())
    const allow = (bytes: number, messages: number) => {
      const now = clock.now()
      return bytesIn.take(bytes, now) && messagesIn.take(messages, now)
    }
    const mux = new Protomux(new FrameGuard(stream, allow, (why) => this.#punish(why)))
    const channel = mux.createChannel({
      protocol: PROTOCOL,
      handshake: CREDENTIAL,
      messages: [{ onmessage: (bytes) => this.#received(bytes) }, { onmessage: (bytes) => this.#answered(bytes) }],
      onopen: (credential) => this.#shown(credential),
      onclose: () => this.close('remote'),
      ondrain: () => this.#queue.drained(),
    })
    const [message, answer] = channel?.messages ?? []
    this.#answer = (verdict) => answer?.send(Uint8Array.of(verdict))
    this.#queue = new SendQueue(
      limits,
      clock,
      timers,
      (bytes) => message?.send(bytes) ?? true,
      () => this.close('backlog'),
    )
    this.#cancelOpenTimeout = timers.after(limits.openTimeoutMs, () => this.close('timeout'))
    if (channel === null) this.close('error')
    else channel.open(door.credential)
  }

  get link(): Link {
    return { peer: this.peer, host: this.#host, port: this.#port, initiator: this.initiator, since: this.since }
  }

  /** @returns false if nothing was sent; a full queue costs the link */
  send(message: Uint8Array, urgent = false): boolean {
    if (this.state !== 'open' || message.length > MESSAGE_BYTES_MAX) return false
    if (this.#queue.push(message, urgent)) return true
    this.close('backlog')
    return false
  }

  /** Ends the link at once; what waits in its queue is lost. */
  close(why: LinkLoss): void {
    this.#end(why)
  }

  /** The channel stands, and the peer has shown what lets it in. */
  #shown(credential: Uint8Array): void {
    if (this.state !== 'opening') return
    const why = this.#door.refusal(this.peer, credential)
    if (why === undefined && !this.#events.hasRoom(this)) {
      this.#end('full')
      return
    }
    if (why === undefined) {
      this.#letsIn = true
      this.#answer(LET_IN)
      this.#openIfBothAgree()
      return
    }
    this.#answer(1 + CREDENTIAL_FAULTS.indexOf(why))
    this.#events.refused(this, why, 'us')
    // What it proves to be no credential at all is no accident.
    this.misbehaved = why === 'malformed' || why === 'forged'
    this.#end('refused')
  }

  #answered(bytes: Uint8Array): void {
    if (this.state !== 'opening') return
    if (bytes[0] === LET_IN) {
      this.#isLetIn = true
      this.#openIfBothAgree()
      return
    }
    this.#events.refused(this, CREDENTIAL_FAULTS[(bytes[0] ?? 0) - 1] ?? 'malformed', 'peer')
    this.#end('refused')
  }

  #openIfBothAgree(): void {
    if (!this.#letsIn || !this.#isLetIn) return
    this.state = 'open'
    if (this.#door.isMember?.(this.peer) === false) this.#queue.isForClient()
    this.#cancelOpenTimeout()
    this.#events.opened(this)
  }

  #received(bytes: Uint8Array): void {
    if (this.state !== 'open') return
    if (bytes.length > MESSAGE_BYTES_MAX) this.#punish('oversized')
    // A copy: the bytes are a window on the socket's buffer, which they would keep alive as a whole.
    else this.#events.message(this, new Uint8Array(bytes))
  }

  #punish(why: LinkLoss): void {
    this.misbehaved = true
    this.#end(why)
  }

  #end(why: LinkLoss): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#cancelOpenTimeout()
    this.#queue.close()
    if (why === 'refused') this.#endSoon()
    else this.#stream.destroy()
    this.#events.closed(this, why)
  }

  /** After what waits to be written. */
  #endSoon(): void {
    this.#stream.end()
    const cancel = this.#timers.after(REFUSAL_MS, () => this.#stream.destroy())
    this.#stream.once('close', cancel)
  }
}

/** A stream that ends with an error says why only in words; our own reasons never come this way. */
function lossOf(error: Error & { code?: string }): LinkLoss {
  if (error.code === 'ETIMEDOUT' || /timed out/i.test(error.message)) return 'timeout'
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || /reset by peer|duplicate connection/i.test(error.message)) {
    return 'remote'
  }
  return 'error'
}
