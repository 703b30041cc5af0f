import { STREAMS } from '../codec/body-scan.ts'
import { AuthorRuns } from '../model/author-runs.ts'
import type { Header, Stream } from '../model/envelope.ts'
import type { NodeId } from '../model/ids.ts'
import { LamportClock } from '../model/lamport-clock.ts'
import type { Held, VersionVector } from './event-log.ts'

/**
 * Holes an author may leave in a stream before more is deferred until they are filled in order; a number an attacker
 * would have to reach with signed events. Nodes see only a part of an author's index stream, so holes are normal there.
 */
export const GAPS_MAX: { readonly [S in Stream]: number } = { local: 4096, gossip: 4096, index: 2 ** 20 }

/** A run of one author's events in consecutive places of a log; what open() rebuilds the state from. */
export type AuthorRun = { author: NodeId; stream: Stream; authorSeq: number; seq: number; count: number }

/** What a log knows of itself without reading: its head, its clock, and whose events stand where. Pure; fits in memory. */
export class LogState {
  readonly clock = new LamportClock()
  readonly #runs: { readonly [S in Stream]: Map<NodeId, AuthorRuns> } = {
    local: new Map(),
    gossip: new Map(),
    index: new Map(),
  }
  /** Lowest own author sequence that may be given out, by stream: what was lost may be known to others. */
  floors: Floors = {}
  #head = 0
  #vector: Map<NodeId, number> | undefined

  get head(): number {
    return this.#head
  }

  runsOf(author: NodeId, stream: Stream): AuthorRuns | undefined {
    return this.#runs[stream].get(author)
  }

  has(id: Pick<Header, 'author' | 'stream' | 'authorSeq'>): boolean {
    return this.runsOf(id.author, id.stream)?.has(id.authorSeq) ?? false
  }

  /** How many events are there, and of how many authors. */
  held(): Held {
    const authors = new Set<NodeId>()
    let events = 0
    for (const stream of STREAMS) {
      for (const [author, runs] of this.#runs[stream]) {
        const { held } = runs
        if (held > 0) authors.add(author)
        events += held
      }
    }
    return { events, authors: authors.size }
  }

  /** A copy that stays as it is; made again only after a commit. */
  versionVector(): VersionVector {
    if (this.#vector === undefined) {
      this.#vector = new Map()
      for (const [author, runs] of this.#runs.gossip) if (runs.contiguous > 0) this.#vector.set(author, runs.contiguous)
    }
    return this.#vector
  }

  /** Takes over what was pruned: known, and held nowhere. */
  know(runs: Iterable<Omit<AuthorRun, 'seq'>>): void {
    for (const { author, stream, authorSeq, count } of runs) this.#hold(author, stream).addKnown(authorSeq, count)
    this.#vector = undefined
  }

  /** Takes over what was pruned while it was held: known from now on, without a place. */
  unplace(runs: Iterable<Omit<AuthorRun, 'seq'>>): void {
    for (const { author, stream, authorSeq, count } of runs) this.runsOf(author, stream)?.unplace(authorSeq, count)
  }

  /** Takes over what was committed: the clock goes to the highest stamp, the head to the last place. */
  advance(head: number, lamport: number, runs: Iterable<AuthorRun>): void {
    for (const { author, stream, authorSeq, seq, count } of runs) {
      this.#hold(author, stream).add(authorSeq, seq, count)
    }
    this.clock.follow(lamport)
    this.#head = head
    this.#vector = undefined
  }

  #hold(author: NodeId, stream: Stream): AuthorRuns {
    let held = this.#runs[stream].get(author)
    if (held === undefined) {
      held = new AuthorRuns()
      this.#runs[stream].set(author, held)
    }
    return held
  }
}

/** Lowest own author sequence to give out, by stream. */
export type Floors = { readonly [S in Stream]?: number }

type Placed = Pick<Header, 'author' | 'stream' | 'authorSeq'> & { readonly seq: number }

/** Events in log order as runs. Events of one author that are interleaved with others' are one run each. */
export function runsOfEvents(events: Iterable<Placed>): AuthorRun[] {
  const runs: AuthorRun[] = []
  for (const event of events) extendRuns(runs, event)
  return runs
}

/** Adds the next event in log order to runs that nobody else holds. */
export function extendRuns(runs: AuthorRun[], { author, stream, authorSeq, seq }: Placed): void {
  const last = runs.at(-1)
  if (
    last !== undefined &&
    last.author === author &&
    last.stream === stream &&
    last.authorSeq + last.count === authorSeq &&
    last.seq + last.count === seq
  ) {
    last.count++
  } else {
    runs.push({ author, stream, authorSeq, seq, count: 1 })
  }
}
