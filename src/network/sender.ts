import type { NodeId } from '../events/index.ts'
import type { Dialer, Dialled } from './dialer.ts'
import type { BookedLink, LinkBook } from './link-book.ts'
import type { Effect, SendFailure } from './protocol.ts'
import type { Endpoint, Transport } from './transport.ts'
import { encodeWire, type GossipMessage, type MembershipMessage, type WireMessage } from './wire.ts'

type Send<M> = Extract<Effect<M>, { do: 'send' }>

export type SenderOptions = {
  transport: Pick<Transport, 'send'>
  links: LinkBook
  dialer: Dialer
  now: () => number
  /** False for a peer that this node does not dial now. */
  mayDial: (peer: NodeId) => boolean
  guarded: (run: () => void) => void
}

/** Sends messages over links, and makes the link where that is asked for. */
export class Sender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** @returns false if it did not leave */
  send(to: NodeId, message: WireMessage, urgent?: boolean): boolean {
    const booked = this.#options.links.get(to)
    return booked !== undefined && this.#sendOver(booked, message, urgent)
  }

  /** What a protocol wants sent. `onFailed` is called if it did not leave, then or when the dial is over. */
  deliver<M extends GossipMessage | MembershipMessage>(
    effect: Send<M>,
    onFailed: (effect: Send<M>, why: SendFailure) => void,
  ): void {
    const { to, message, dial, lasting, urgent } = effect
    const booked = this.#options.links.get(to)
    if (booked !== undefined) {
      if (!this.#sendOver(booked, message, urgent)) onFailed(effect, 'queue-full')
    } else if (dial === undefined) {
      onFailed(effect, 'no-link')
    } else {
      void this.connect(to, dial === 'by-key' ? undefined : dial, lasting).then((dialled) => {
        if (dialled !== 'linked') onFailed(effect, dialled)
        else this.#options.guarded(() => this.send(to, message, urgent) || onFailed(effect, 'no-link'))
      })
    }
  }

  /** A link to the peer. Never rejects. */
  connect(to: NodeId, endpoint: Endpoint | undefined, lasting = false): Promise<Dialled> {
    if (!this.#options.mayDial(to)) return Promise.resolve('not-dialled')
    return this.#options.dialer.connect(to, endpoint, lasting)
  }

  #sendOver(booked: BookedLink, message: WireMessage, urgent = isAboutLife(message)): boolean {
    booked.messagesOut++
    if (isUse(message)) booked.usedAt = this.#options.now()
    return this.#options.transport.send(booked.link.peer, encodeWire(message), urgent)
  }
}

/** What keeps a link open that was dialled for a short exchange: without pings it would be closed in the midst of a probe. */
export const isUse = (message: WireMessage): boolean =>
  message.type === 'request' || message.type === 'response' || message.type === 'push' || isAboutLife(message)

/** Who is alive is asked and answered before anything else: a late answer looks like none. */
const isAboutLife = ({ type }: WireMessage): boolean =>
  type === 'ping' || type === 'pong' || type === 'nack' || type === 'ping-request'
