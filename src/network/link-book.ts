import type { NodeId } from '../events/index.ts'
import type { Link } from './transport.ts'
import type { HelloMessage } from './wire.ts'

/** A link as the runtime sees it. */
export type BookedLink = {
  readonly link: Link
  /** Undefined until the peer said who it is; there is no gossip with it before. */
  hello: HelloMessage | undefined
  /** Dialled by us for a short exchange: no gossip on it, and closed when idle. */
  readonly transient: boolean
  /** True while gossip uses it. */
  neighbour: boolean
  usedAt: number
  /** When the peer last said something, ms; undefined until it does. */
  heardAt: number | undefined
  hellosOut: number
  hellosIn: number
  messagesIn: number
  messagesOut: number
}

/** Links that are up, and those who wait for one. */
export class LinkBook {
  readonly #links = new Map<NodeId, BookedLink>()
  readonly #waiting = new Map<NodeId, ((linked: boolean) => void)[]>()

  get(peer: NodeId): BookedLink | undefined {
    return this.#links.get(peer)
  }

  all(): IterableIterator<BookedLink> {
    return this.#links.values()
  }

  get neighbourCount(): number {
    let count = 0
    for (const { neighbour } of this.#links.values()) if (neighbour) count++
    return count
  }

  up(link: Link, transient: boolean, now: number): BookedLink {
    const booked = {
      link,
      hello: undefined,
      transient,
      neighbour: false,
      usedAt: now,
      heardAt: undefined,
      hellosOut: 0,
      hellosIn: 0,
      messagesIn: 0,
      messagesOut: 0,
    }
    this.#links.set(link.peer, booked)
    return booked
  }

  down(peer: NodeId): BookedLink | undefined {
    const booked = this.#links.get(peer)
    this.#links.delete(peer)
    return booked
  }

  /** Resolves when a link is there, or with false once `settle(peer, false)` gives up. */
  wait(peer: NodeId): { promise: Promise<boolean>; first: boolean } {
    if (this.#links.has(peer)) return { promise: Promise.resolve(true), first: false }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = this.#waiting.get(peer)
    if (waiting === undefined) this.#waiting.set(peer, [resolve])
    else waiting.push(resolve)
    return { promise, first: waiting === undefined }
  }

  isWaitedFor(peer: NodeId): boolean {
    return this.#waiting.has(peer)
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  settle(peer: NodeId, linked: boolean): void {
    const waiting = this.#waiting.get(peer) ?? []
    this.#waiting.delete(peer)
    for (const resolve of waiting) resolve(linked)
  }
}
