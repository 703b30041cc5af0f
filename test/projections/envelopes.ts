import { createHash } from 'node:crypto'
import type { Envelope, Event, InfoHash, Lamport, Millis, NodeId, Stream } from '../../src/events/index.ts'
import { KINDS } from '../../src/events/index.ts'
import type { Projection, Row } from '../../src/projections/index.ts'

/** A node id and an info hash that follow from a short name. */
export const node = (name: string): NodeId => createHash('sha256').update(name).digest('hex') as NodeId
export const hash = (name: string): InfoHash => createHash('sha1').update(name).digest('hex') as InfoHash

/** Makes envelopes as a log would hold them: sequences, stamps and author sequences count up by themselves. */
export class EnvelopeMaker {
  #seq = 0
  #lamport = 0
  readonly #authorSeqs = new Map<string, number>()

  make(author: NodeId, event: Event, stream: Stream = 'gossip', lamport?: number): Envelope {
    this.#seq += 1
    this.#lamport = Math.max(this.#lamport + 1, lamport ?? 0)
    const key = `${author}/${stream}`
    const authorSeq = (this.#authorSeqs.get(key) ?? 0) + 1
    this.#authorSeqs.set(key, authorSeq)
    return {
      seq: this.#seq,
      version: 1,
      kind: event.kind === 'unknown' ? event.number : KINDS[event.kind].number,
      lamport: (lamport ?? this.#lamport) as Lamport,
      author,
      stream,
      authorSeq,
      at: (1_700_000_000_000 + this.#seq * 1000) as Millis,
      payloadBytes: 100,
      event,
    }
  }
}

/** The same events in another order of arrival: sequences are given anew. */
export function rearranged(envelopes: readonly Envelope[], order: readonly number[]): Envelope[] {
  return order.map((index, position) => ({ ...(envelopes[index] as Envelope), seq: position + 1 }))
}

export function foldAll<S>(projection: Projection<S>, envelopes: readonly Envelope[], from: S = projection.initial()): S {
  return envelopes.reduce((state, envelope) => projection.apply(state, envelope), from)
}

export const rowsOf = <S>(projection: Projection<S>, state: S): Row[] => [...projection.rows(state)]

/** Rows after `changes` was written over rows, in key order: what a store would hold. */
export function stored(rows: readonly Row[], changes: readonly (readonly [string, string | null])[]): Row[] {
  const map = new Map(rows)
  for (const [key, value] of changes) {
    if (value === null) map.delete(key)
    else map.set(key, value)
  }
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
