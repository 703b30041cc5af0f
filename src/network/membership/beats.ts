import type { EventOf, NodeId } from '../../events/index.ts'

/** Round trips kept of each member between two roll-ups; after that every further one replaces an older one. */
const SAMPLES_MAX = 64

type Tally = { seen: number; missed: number; micros: number[]; firstAt: number; lastAt: number }

/** The beats of the last minutes, in memory: each ping answered or not. Rolled up, they become one event a member. */
export class Beats {
  readonly #tallies = new Map<NodeId, Tally>()

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
    const events = [...this.#tallies].map(([subject, tally]): EventOf<'heartbeat.rolled-up'> => {
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
    this.#tallies.clear()
    return events
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
