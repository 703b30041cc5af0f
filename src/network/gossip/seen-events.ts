import type { NodeId, SignedEvent } from '../../events/index.ts'

export type SeenEvent = { readonly event: SignedEvent; readonly hops: number }

export const seenKey = (author: NodeId, authorSeq: number): string => `${author}/${authorSeq}`

/** An event at its place in the order of arrival; `seen` goes when it is forgotten, out of turn too. */
type Place = { readonly author: NodeId; readonly authorSeq: number; seen: SeenEvent | undefined }

/** Places that have left the order of arrival are cut off in one go when there are so many. */
const DONE_MAX = 1_024

/**
 * The gossip events of the last moments: for dropping copies before the log has the event, and for answering grafts.
 * Bounded by count, by bytes and by time; the oldest are forgotten, and after that the log answers for them.
 */
export class SeenEvents {
  /** By author first: a key of both would have to be made, and hashed, for every copy that arrives. */
  readonly #byAuthor = new Map<NodeId, Map<number, Place>>()
  readonly #countMax: number
  readonly #bytesMax: number
  #order: Place[] = []
  #done = 0
  /** Places before this index were there when the old ones were let go of the last time. */
  #young = 0
  #count = 0
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
    const place: Place = { author, authorSeq, seen }
    events.set(authorSeq, place)
    this.#order.push(place)
    this.#count++
    this.#bytes += seen.event.body.length
    while (this.#count > this.#countMax || this.#bytes > this.#bytesMax) {
      const oldest = this.#order[this.#done]
      if (oldest === undefined) break
      this.#done++
      this.#empty(oldest)
    }
    // Places that were emptied out of turn stay in the order until it is theirs: it must not outgrow what it orders.
    if (this.#done > DONE_MAX || this.#order.length - this.#done > 2 * this.#countMax) this.#tidy()
  }

  /** Lets go of what was here at the last call: nobody grafts it any more, and the log has it. */
  forgetOld(): void {
    for (const place of this.#order.slice(this.#done, this.#young)) this.#empty(place)
    this.#tidy()
    this.#young = this.#order.length
  }

  /** The log did not take it: another copy is welcome, and has a place of its own. */
  forget(author: NodeId, authorSeq: number): void {
    const place = this.#byAuthor.get(author)?.get(authorSeq)
    if (place !== undefined) this.#empty(place)
  }

  #empty(place: Place): void {
    const { author, authorSeq, seen } = place
    if (seen === undefined) return
    place.seen = undefined
    const events = this.#byAuthor.get(author)
    events?.delete(authorSeq)
    if (events?.size === 0) this.#byAuthor.delete(author)
    this.#count--
    this.#bytes -= seen.event.body.length
  }

  #tidy(): void {
    const isTaken = ({ seen }: Place): boolean => seen !== undefined
    const old = this.#order.slice(this.#done, this.#young).filter(isTaken)
    const young = this.#order.slice(Math.max(this.#done, this.#young)).filter(isTaken)
    this.#order = [...old, ...young]
    this.#young = old.length
    this.#done = 0
  }
}
