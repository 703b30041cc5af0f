import type { EventOf, NodeId, QuarantineReason } from '../events/index.ts'
import type { EventEvidence } from './protocol.ts'

// What peers did wrong on their links: enough of it costs the link, and all of it is told in the log, in few entries.

/**
 * Points of an offence. An honest relay checks signatures and codecs, so three such are no accident; a clock may differ. Two
 * events with one number are no accident either, unless somebody started from an old copy of a data directory.
 */
const POINTS: { readonly [R in QuarantineReason]: number } = {
  ...{ malformed: 34, 'bad-signature': 34, equivocation: 100 },
  ...{ flood: 20, 'clock-jump': 1 },
}
const DROP_AT = 100
/** A peer that was dropped is let in again when its points have worn off to this. */
const ADMIT_BELOW = 50
const WORN_OFF_PER_SECOND = 1
export const PEERS_MAX = 1_024

/** Interval between entries about the same peer and offence, ms, and how many entries are written in one interval at most. */
export const QUARANTINE_EVERY_MS = 60_000
export const QUARANTINES_MAX = 32

type Record = { points: number; at: number }

export class Misconduct {
  readonly #records = new Map<NodeId, Record>()
  readonly #entries = new Map<string, EventOf<'event.quarantined'>>()
  #budget = QUARANTINES_MAX

  /** @returns true if the peer is to lose its link */
  charge(peer: NodeId, reason: QuarantineReason, now: number): boolean {
    const points = this.#pointsOf(peer, now) + POINTS[reason]
    this.#records.delete(peer)
    this.#records.set(peer, { points: Math.min(points, 2 * DROP_AT), at: now })
    if (this.#records.size > PEERS_MAX) {
      for (const oldest of this.#records.keys()) {
        this.#records.delete(oldest)
        break
      }
    }
    return points >= DROP_AT
  }

  /** True while a peer that misbehaved is not to be linked with. */
  refuses(peer: NodeId, now: number): boolean {
    return this.#pointsOf(peer, now) >= ADMIT_BELOW
  }

  /** The entry to append now; undefined if it is counted into a later one. */
  quarantine(
    sender: NodeId,
    reason: QuarantineReason,
    evidence: EventEvidence | undefined,
  ): EventOf<'event.quarantined'> | undefined {
    const { author = null, authorSeq = 0, lamport = 0 } = evidence ?? {}
    const key = `${sender} ${reason}`
    const waiting = this.#entries.get(key)
    if (waiting !== undefined) {
      waiting.count++
      return undefined
    }
    if (this.#entries.size >= PEERS_MAX) return undefined
    const entry: EventOf<'event.quarantined'> = {
      kind: 'event.quarantined',
      sender,
      reason,
      author,
      authorSeq,
      lamport,
      count: 1,
    }
    // What follows in this period is counted in an entry of its own, which starts at 0.
    this.#entries.set(key, { ...entry, count: 0 })
    if (this.#budget === 0) return undefined
    this.#budget--
    return entry
  }

  /** The log did not take this entry: its offences are counted again. */
  notStored(entry: EventOf<'event.quarantined'>): void {
    const key = `${entry.sender} ${entry.reason}`
    const waiting = this.#entries.get(key)
    if (waiting !== undefined) waiting.count += entry.count
    else if (this.#entries.size < PEERS_MAX) this.#entries.set(key, { ...entry })
  }

  /** What was counted since the last call. */
  flush(): EventOf<'event.quarantined'>[] {
    const entries = [...this.#entries.values()].filter(({ count }) => count > 0)
    this.#entries.clear()
    this.#budget = QUARANTINES_MAX
    return entries.sort((a, b) => b.count - a.count).slice(0, QUARANTINES_MAX)
  }

  #pointsOf(peer: NodeId, now: number): number {
    const record = this.#records.get(peer)
    if (record === undefined) return 0
    return Math.max(0, record.points - (Math.max(0, now - record.at) / 1_000) * WORN_OFF_PER_SECOND)
  }
}
