import type { ContentRules, Header, NodeId, SignedEvent, VerifySignature } from '../../events/index.ts'
import { HoldBackQueue } from '../hold-back-queue.ts'
import { Admission, type HeldEvents } from './admission.ts'
import type { Pushed } from './broadcast-tree.ts'
import type { FirstHand } from './first-hand.ts'
import type { EventId, GossipEffect } from './gossip-protocol.ts'
import { goesFirst } from './precedence.ts'
import type { PullPause } from './pull-pause.ts'
import { type SeenEvents, seenKey } from './seen-events.ts'
import { SpreadRates } from './spread-rates.ts'

export const HOLD_BACK_MS = 100
export const HOLD_BACK_COUNT_MAX = 4_096
/** Names of events that a failing log did not take; above it, the oldest may be asked for again at once. */
const UNTAKEN_MAX = 8_192

export type GossipCounts = {
  /** Events that were new, and those sent whole, a copy counted each time. */
  eventsIn: number
  eventsOut: number
  duplicates: number
  rejected: number
  throttled: number
}

/** `at`: when it was made, as its author says, ms since 1970. */
export type Fresh = Pushed & { readonly spread: boolean; readonly at: number }

export type Admitted = {
  /** `spread`: to be pushed on; not so above the rate of its author or its invitation. */
  readonly fresh: readonly Fresh[]
  /** Headers of events that are here already, and at the same places what came: nobody has checked that it is the same. */
  readonly duplicates: readonly Header[]
  readonly copies: readonly SignedEvent[]
  /** Headers of signed events that the network's rules do not let in. */
  readonly ignored: readonly Header[]
  readonly effects: GossipEffect[]
}

type IntakeOptions = {
  self: NodeId
  held: HeldEvents
  seen: SeenEvents
  pause: PullPause
  verify: VerifySignature
  rules: ContentRules
  firstHand: FirstHand
  counts: GossipCounts
}

/** Events that arrive: each is checked once, waits a moment for those before it, and is handed to the log. */
export class Intake {
  readonly #seen: SeenEvents
  readonly #pause: PullPause
  readonly #counts: GossipCounts
  readonly #admission: Admission
  readonly #queue = new HoldBackQueue(HOLD_BACK_MS, HOLD_BACK_COUNT_MAX)
  /** What the log did not take since it fails: known, so that copies are known as such, and yet to be asked for again. */
  readonly #untaken = new Map<string, EventId>()
  #releaseSet = false

  constructor({ self, held, seen, pause, verify, rules, firstHand, counts }: IntakeOptions) {
    this.#seen = seen
    this.#pause = pause
    this.#counts = counts
    this.#admission = new Admission({ self, held, seen, rates: new SpreadRates(rules), verify, rules, firstHand })
  }

  get heldBack(): number {
    return this.#queue.size
  }

  /** @param live true for events of the broadcast, which are subject to their author's rate */
  admit(from: NodeId, events: readonly { event: SignedEvent; hops: number }[], live: boolean, now: number): Admitted {
    const fresh: Fresh[] = []
    const effects: GossipEffect[] = []
    const duplicates: Header[] = []
    const copies: SignedEvent[] = []
    const ignored: Header[] = []
    for (const { event, hops } of events) {
      const judged = this.#admission.judge(from, event, live, now)
      if (judged.verdict === 'new') {
        const { author, authorSeq } = judged.header
        // Views into a message would keep all of it in memory; and a Buffer's `slice` is one.
        const kept = { body: new Uint8Array(event.body), signature: new Uint8Array(event.signature) }
        this.#seen.add(author, authorSeq, { event: kept, hops: hops + 1 })
        this.#queue.push({ header: judged.header, event: kept }, now)
        const { header, spread } = judged
        fresh.push({ author, authorSeq, event: kept, hops: hops + 1, first: goesFirst(header), spread, at: header.at })
        this.#counts.eventsIn++
        if (!judged.spread) this.#counts.throttled++
      } else if (judged.verdict === 'duplicate') {
        duplicates.push(judged.header)
        copies.push(event)
        this.#counts.duplicates++
      } else if (judged.verdict === 'ignored') {
        ignored.push(judged.header)
        this.#counts.rejected++
      } else {
        this.#counts.rejected++
        const { header, reason, against } = judged
        const peer = against === 'author' && header !== undefined ? header.author : from
        const evidence = header && { author: header.author, authorSeq: header.authorSeq, lamport: header.lamport }
        effects.push({ do: 'charge', peer, reason, ...(evidence && { event: evidence }) })
      }
    }
    effects.push(...this.#releaseWake(now))
    return { fresh, duplicates, copies, ignored, effects }
  }

  /** The timer of the release is due. */
  releaseDue(now: number): GossipEffect[] {
    this.#releaseSet = false
    return this.release(now)
  }

  /** Hands what has waited long enough to the log. */
  release(now: number): GossipEffect[] {
    const released = this.#queue.release(now)
    if (this.#pause.isPaused) for (const { header } of released.splice(0)) this.notTaken(header)
    const events = released.map(({ event }) => event)
    const effects: GossipEffect[] = events.length > 0 ? [{ do: 'ingest', events }] : []
    return [...effects, ...this.#releaseWake(now)]
  }

  /** The log did not take this event (too large a gap, disk full): another copy will be welcome, once the log is well. */
  notTaken({ author, authorSeq }: EventId): void {
    if (!this.#pause.isFailing) {
      this.#seen.forget(author, authorSeq)
      return
    }
    for (const [oldest, name] of this.#untaken) {
      if (this.#untaken.size < UNTAKEN_MAX) break
      this.#untaken.delete(oldest)
      this.#seen.forget(name.author, name.authorSeq)
    }
    this.#untaken.set(seenKey(author, authorSeq), { author, authorSeq })
  }

  /** The log may take events again: copies of what it did not take are welcome. */
  forgetUntaken(): void {
    for (const { author, authorSeq } of this.#untaken.values()) this.#seen.forget(author, authorSeq)
    this.#untaken.clear()
  }

  #releaseWake(now: number): GossipEffect[] {
    const at = this.#queue.nextAt
    // With too many held back it is set again, for now.
    if (at === undefined || (this.#releaseSet && at > now)) return []
    this.#releaseSet = true
    return [{ do: 'wake', afterMs: Math.max(0, at - now), timer: { name: 'release' } }]
  }
}
