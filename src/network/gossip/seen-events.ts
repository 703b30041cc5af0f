import type { NodeId, SignedEvent } from '../../events/index.ts'

export type SeenEvent = { readonly event: SignedEvent; readonly hops: number }

export const seenKey = (author: NodeId, authorSeq: number): string => `${author}/${authorSeq}`

/**
 * The gossip events of the last moments: for dropping copies before the log has the event, and for answering grafts.
 * Bounded by count and by bytes; the oldest are forgotten, and after that the log answers for them.
 */
export class SeenEvents {
  readonly #events = new Map<string, SeenEvent>()
  readonly #countMax: number
  readonly #bytesMax: number
  #bytes = 0

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax
    this.#bytesMax = bytesMax
  }

  get(author: NodeId, authorSeq: number): SeenEvent | undefined {
    return this.#events.get(seenKey(author, authorSeq))
  }

  has(author: NodeId, authorSeq: number): boolean {
    return this.#events.has(seenKey(author, authorSeq))
  }

  add(author: NodeId, authorSeq: number, seen: SeenEvent): void {
    const key = seenKey(author, authorSeq)
    if (this.#events.has(key)) return
    this.#events.set(key, seen)
    this.#bytes += seen.event.body.length
    for (const [oldest, { event }] of this.#events) {
      if (this.#events.size <= this.#countMax && this.#bytes <= this.#bytesMax) break
      this.#events.delete(oldest)
      this.#bytes -= event.body.length
    }
  }

  /** The log did not take it: another copy is welcome. */
  forget(author: NodeId, authorSeq: number): void {
    const key = seenKey(author, authorSeq)
    this.#bytes -= this.#events.get(key)?.event.body.length ?? 0
    this.#events.delete(key)
  }
}
