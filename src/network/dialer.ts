import type { NodeId, Timers } from '../events/index.ts'
import type { LinkBook } from './link-book.ts'
import { NamedTimers } from './named-timers.ts'
import type { Endpoint, Transport } from './transport.ts'

/** With so many neighbours, a link that is dialled for a probe or a request is not used for gossip, and closed when idle. */
const NEIGHBOURS_ENOUGH = 8
export const DIALS_MAX = 32
const LINKED_AFTER_DIAL_MS_MAX = 2_000

/** What became of a dial. `not-dialled`: too many are under way, which says nothing about the peer. */
export type Dialled = 'linked' | 'unreachable' | 'not-dialled'

export type DialerOptions = {
  transport: Pick<Transport, 'dial'>
  links: LinkBook
  timers: Timers
  onNotice: (text: string) => void
}

/** Links on demand: one dial a peer at a time, a bounded number in all, and everybody who wants the link waits for it. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #timers: NamedTimers<{ name: 'linked'; of: NodeId }>
  /** Peers dialled for a short exchange. */
  readonly #transient = new Set<NodeId>()

  constructor(options: DialerOptions) {
    this.#options = options
    this.#timers = new NamedTimers(options.timers)
  }

  /** A link to the peer, used for gossip however many there are if it is to be `lasting`. Never rejects. */
  async connect(to: NodeId, endpoint: Endpoint | undefined, lasting: boolean): Promise<Dialled> {
    const { links } = this.#options
    if (links.get(to) !== undefined) return 'linked'
    if (!links.isWaitedFor(to) && links.waitingCount >= DIALS_MAX) return 'not-dialled'
    const { promise, first } = links.wait(to)
    if (first) void this.#dial(to, endpoint, lasting)
    return (await promise) ? 'linked' : 'unreachable'
  }

  /** Tells, once, whether a link that came up is one that was dialled for a short exchange. */
  takeTransient(peer: NodeId): boolean {
    return this.#transient.delete(peer)
  }

  stop(): void {
    this.#timers.clear()
  }

  async #dial(to: NodeId, endpoint: Endpoint | undefined, lasting: boolean): Promise<void> {
    const { transport, links, onNotice } = this.#options
    if (!lasting && links.neighbourCount >= NEIGHBOURS_ENOUGH) this.#transient.add(to)
    let linked = false
    try {
      linked = await transport.dial(to, endpoint)
    } catch (error) {
      onNotice(`a dial failed: ${String(error)}`)
    }
    const settle = () => {
      this.#transient.delete(to)
      links.settle(to, links.get(to) !== undefined)
    }
    // A link that is there is reported in a moment.
    if (linked && links.isWaitedFor(to)) this.#timers.set({ name: 'linked', of: to }, LINKED_AFTER_DIAL_MS_MAX, settle)
    else settle()
  }
}
