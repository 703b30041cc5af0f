import type { EventOf, NodeId } from '../../events/index.ts'

/** Round trips kept of each member between two roll-ups; after that every further one replaces an older one. */
const SAMPLES_MAX = 64
/** Members whose beats are kept while the log takes no roll-ups. */
const MEMBERS_MAX = 8_192

type Tally = { seen: number; missed: number; micros: number[]; firstAt: number; lastAt: number }

/** The beats of the last minutes, in memory: each ping answered or not. Rolled up, they become one event a member. */
export class Beats {
  #tallies = new Map<NodeId, Tally>()
  /** What the last roll-up told, until the next: it may not have been stored. */
  #told = new Map<NodeId, Tally>()

  seen(member: NodeId, roundTripMs: number, now: number): void {
    const tally = this.#tally(member, now)
    tally.micros[tally.seen % SAMPLES_MAX] = Math.max(0, Math.round(roundTripMs * 1_000))
    tally.seen++
  }

  missed(member: NodeId, now: number): void {
    this.#tally(member, now).missed++
  }

  /** The roll-up of each member that was probed since the last one; empties the record. */
  rollUp(): EventOf<'heartbeat.rolled-up'>[] {
    this.#told = this.#tallies
    this.#tallies = new Map()
    return [...this.#told].map(([subject, tally]): EventOf<'heartbeat.rolled-up'> => {
      const micros = tally.micros.sort((a, b) => a - b)
      return {
        kind: 'heartbeat.rolled-up',
        subject,
        beatsSeen: tally.seen,
        beatsMissed: tally.missed,
        roundTripMicrosMin: micros[0] ?? 0,
        roundTripMicrosMedian: micros[micros.length >> 1] ?? 0,
        roundTripMicrosMax: micros.at(-1) ?? 0,
        firstAt: tally.firstAt,
        lastAt: tally.lastAt,
      }
    })
  }

  /** The last roll-up of this member was not stored: the next one tells of those beats as well. */
  giveBack(member: NodeId): void {
    const before = this.#told.get(member)
    this.#told.delete(member)
    if (before === undefined) return
    const since = this.#tallies.get(member)
    if (since === undefined) {
      if (this.#tallies.size < MEMBERS_MAX) this.#tallies.set(member, before)
      return
    }
    since.micros = [...before.micros, ...since.micros].slice(-SAMPLES_MAX)
    since.seen += before.seen
    since.missed += before.missed
    since.firstAt = before.firstAt
  }

  #tally(member: NodeId, now: number): Tally {
    let tally = this.#tallies.get(member)
    if (tally === undefined) {
      tally = { seen: 0, missed: 0, micros: [], firstAt: now, lastAt: now }
      this.#tallies.set(member, tally)
    }
    tally.lastAt = now
    return tally
  }
}
