import { type EventLog, isWellFormed, type NodeId, type SignedEvent, scanBody } from '../events/index.ts'
import { PUSH_BYTES_MAX } from './gossip/broadcast-tree.ts'
import { type AuthorRange, type GossipMessage, WIRE_ITEMS_MAX } from './wire.ts'

/** Bytes in answer to one fetch: the asker goes on from there with the next. */
const SUPPLY_BYTES_MAX = 1024 * 1024
/** Fetches of one peer that wait for the one being answered. */
const WAITING_MAX = 4

type Order = { id: number; ranges: readonly AuthorRange[] }

/** Reads missing ranges from the log for peers, for each one fetch after the other. */
export class Supplier {
  readonly #log: Pick<EventLog, 'readSigned' | 'pruned'>
  readonly #send: (to: NodeId, message: GossipMessage) => boolean
  readonly #waiting = new Map<NodeId, Order[]>()
  /** Events read for others so far. */
  supplied = 0

  constructor(log: Pick<EventLog, 'readSigned' | 'pruned'>, send: (to: NodeId, message: GossipMessage) => boolean) {
    this.#log = log
    this.#send = send
  }

  order(to: NodeId, order: Order): void {
    const waiting = this.#waiting.get(to)
    if (waiting !== undefined) {
      if (waiting.length < WAITING_MAX) waiting.push(order)
      return
    }
    const orders = [order]
    this.#waiting.set(to, orders)
    void this.#serve(to, orders)
  }

  async #serve(to: NodeId, orders: Order[]): Promise<void> {
    try {
      for (let order = orders.shift(); order !== undefined; order = orders.shift()) await this.#one(to, order)
    } catch {
      // The log was closed or could not be read: the asker's patience ends, and it asks somebody else.
    } finally {
      this.#waiting.delete(to)
    }
  }

  async #one(to: NodeId, { id, ranges }: Order): Promise<void> {
    let events: SignedEvent[] = []
    let bytes = 0
    let total = 0
    const gone = [...this.#goneOf(ranges)].slice(0, WIRE_ITEMS_MAX)
    const ship = (last: boolean): boolean => {
      this.supplied += events.length
      const sent = this.#send(to, { type: 'supply', id, events, last, ...(last && gone.length > 0 ? { gone } : {}) })
      events = []
      bytes = 0
      return sent
    }
    for (const { author, from, to: until } of ranges) {
      if (total >= SUPPLY_BYTES_MAX) break
      for await (const event of this.#log.readSigned(author, 'gossip', from, until)) {
        // Taken into the log before this was refused: whoever got it from us would hold us for its author.
        if (!isWellFormed(scanBody(event.body))) continue
        const size = event.body.length + event.signature.length + 16
        if ((bytes + size > PUSH_BYTES_MAX || events.length >= WIRE_ITEMS_MAX) && !ship(false)) return
        events.push(event)
        bytes += size
        total += size
        if (total >= SUPPLY_BYTES_MAX) break
      }
    }
    // A message is bounded in bytes, and so are the events in one.
    if (gone.length > 0 && events.length > 0 && !ship(false)) return
    ship(true)
  }

  /** What was asked for and has been pruned here: the asker would wait for it in vain. */
  *#goneOf(ranges: readonly AuthorRange[]): Generator<AuthorRange> {
    for (const { author, from, to } of ranges) {
      for (const run of this.#log.pruned(author, 'gossip', from)) {
        if (run.from > to) break
        yield { author, ...run }
      }
    }
  }
}
