import type { NodeId, SignedEvent } from '../../events/index.ts'

export type SeenEvent = { readonly event: SignedEvent; readonly hops: number }

export const seenKey = (author: NodeId, authorSeq: number): string => `${author}/${authorSeq}`

type Held = { readonly author: NodeId; readonly authorSeq: number; readonly seen: SeenEvent; readonly turn: number }

/**
 * The gossip events of the last moments: for dropping copies before the log has the event, and for answering grafts.
 * Bounded by count, by bytes and by time; the oldest are forgotten, and after that the log answers for them.
 */
export class SeenEvents {
  /** By author first: a key of both would have to be made, and hashed, for every copy that arrives. */
  readonly #byAuthor = new Map<NodeId, Map<number, Held>>()
  /** In the order of arrival. */
  readonly #held = new Set<Held>()
  /** Goes along behind which nobody is left: to begin anew would have to pass all places that those before it left. */
  readonly #oldest = this.#held.values()
  readonly #countMax: number
  readonly #bytesMax: number
  #turn = 0
  #bytes = 0

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax
    this.#bytesMax = bytesMax
  }

  get(author: NodeId, authorSeq: number): SeenEvent | undefined {
    return this.#byAuthor.get(author)?.get(authorSeq)?.seen
  }

  has(author: NodeId, authorSeq: number): boolean {
    return this.get(author, authorSeq) !== undefined
  }

  add(author: NodeId, authorSeq: number, seen: SeenEvent): void {
    let events = this.#byAuthor.get(author)
    if (events === undefined) {
      events = new Map()
      this.#byAuthor.set(author, events)
    }
    if (events.has(authorSeq)) return
    const held: Held = { author, authorSeq, seen, turn: this.#turn }
    events.set(authorSeq, held)
    this.#held.add(held)
    this.#bytes += seen.event.body.length
    while (this.#held.size > this.#countMax || this.#bytes > this.#bytesMax) this.#forgetOldest()
  }

  /** Lets go of what was here at the last call: nobody grafts it any more, and the log has it. */
  forgetOld(): void {
    for (const held of this.#held) {
      if (held.turn === this.#turn) break
      this.#forgetOldest()
    }
    this.#turn++
  }

  /** The log did not take it: another copy is welcome, and stands where it arrives. */
  forget(author: NodeId, authorSeq: number): void {
    const held = this.#byAuthor.get(author)?.get(authorSeq)
    if (held !== undefined) this.#drop(held)
  }

  /** There is one. */
  #forgetOldest(): void {
    const { value } = this.#oldest.next()
    if (value !== undefined) this.#drop(value)
  }

  #drop(held: Held): void {
    const { author, authorSeq, seen } = held
    this.#held.delete(held)
    this.#bytes -= seen.event.body.length
    const events = this.#byAuthor.get(author)
    events?.delete(authorSeq)
    if (events?.size === 0) this.#byAuthor.delete(author)
  }
}
