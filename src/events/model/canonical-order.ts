import type { Header } from './envelope.ts'

type Stamped = Pick<Header, 'lamport' | 'author' | 'stream' | 'authorSeq'>

/**
 * The one order that all nodes agree on: (lamport, author, stream, author sequence); negative if `a` is first.
 * Total over distinct events, since (author, stream, author sequence) names one event. Source: Lamport 1978.
 */
export function compareCanonically(a: Stamped, b: Stamped): number {
  if (a.lamport !== b.lamport) return a.lamport - b.lamport
  if (a.author !== b.author) return a.author < b.author ? -1 : 1
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1
  return a.authorSeq - b.authorSeq
}

/** The name of an event across all nodes. */
export function eventId(event: Stamped): string {
  return `${event.author}/${event.stream}/${event.authorSeq}`
}
