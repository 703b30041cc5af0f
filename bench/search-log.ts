import { createHash } from 'node:crypto'
import type { Envelope, Event, EventLog, InfoHash, Lamport, Millis, NodeId } from '../src/events/index.ts'
import { KINDS } from '../src/events/index.ts'
import { systemTimers } from '../src/events/model/time.system.ts'
import {
  createProjectionRunner,
  type KeywordIndexState,
  keywordIndexProjection,
  type ProjectionRunner,
  type ProjectionStore,
} from '../src/projections/index.ts'
import { newSha256, sha256Of } from '../src/projections/sha256.system.ts'
import { newTurns } from '../src/projections/turns.system.ts'
import type { Title } from './search-corpus.ts'

// A log of publications without its signatures and its disk: what the index alone costs. 1,500 authors; a torrent of so many
// seeders has a word of each doubling of them, since a word of each would be ten million events.

const AUTHORS = 1500
const BATCH = 1000

const id = (text: string, bytes: number): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, bytes * 2)

export const authorOf = (number: number): NodeId => id(`author ${number % AUTHORS}`, 32) as NodeId

/** Words that somebody else says of a torrent of so many seeders. */
const others = (seeders: number): number => (seeders > 3 ? Math.floor(Math.log2(seeders)) : 0)

export type SearchLog = Pick<EventLog, 'head' | 'readBatches' | 'onAppended' | 'snapshot'> & {
  /** Tells whoever follows it. */
  publish(title: string): void
}

/** @param titles the same whenever they are iterated */
export function searchLog(titles: Iterable<Title>): SearchLog {
  const authorIds = Array.from({ length: AUTHORS }, (_, number) => authorOf(number))
  let head = 0
  for (const { seeders } of titles) head += 1 + others(seeders)
  let tell = (_: readonly Envelope[]): void => {}
  const envelope = (
    seq: number,
    author: number,
    event: Event & { kind: 'torrent.published' | 'torrent.verified' },
  ): Envelope => ({
    ...{ seq, version: 1, kind: KINDS[event.kind].number, lamport: seq as Lamport, stream: 'index' },
    // Sequences of an author only have to differ here.
    ...{ author: authorIds[author % AUTHORS] as NodeId, authorSeq: seq, at: (1_700_000_000_000 + seq) as Millis },
    ...{ payloadBytes: 0, event },
  })
  const published = (at: number, { title, sizeBytes }: Title): Event & { kind: 'torrent.published' } => ({
    ...{ kind: 'torrent.published', infoHash: id(`torrent ${at}`, 20) as InfoHash },
    ...{ title, sizeBytes, fileCount: 1, tags: [] },
  })
  return {
    get head() {
      return head
    },
    async *readBatches({ from = 1 } = {}) {
      let batch: Envelope[] = []
      let seq = 0
      let next = 0
      for (const title of titles) {
        const at = next++
        const count = 1 + others(title.seeders)
        if (seq + count < from) {
          seq += count
          continue
        }
        const event = published(at, title)
        for (let other = 0; other < count; other++) {
          seq += 1
          if (seq < from) continue
          if (other === 0) batch.push(envelope(seq, at, event))
          else
            batch.push(
              envelope(seq, at * 7 + other * 13 + 1, {
                kind: 'torrent.verified',
                infoHash: event.infoHash,
                title: event.title,
              }),
            )
        }
        if (batch.length < BATCH) continue
        yield batch
        batch = []
      }
      if (batch.length > 0) yield batch
    },
    onAppended(listener) {
      tell = listener
      return () => {}
    },
    snapshot: async () => [],
    publish(title) {
      head += 1
      tell([envelope(head, head, published(head, { title, sizeBytes: 1, seeders: 0 }))])
    },
  }
}

export const runnerOver = (log: SearchLog, store: ProjectionStore): ProjectionRunner<{ 'keyword-index': KeywordIndexState }> =>
  createProjectionRunner({
    ...{ log, store, timers: systemTimers, newSha256, newTurns },
    projections: { 'keyword-index': keywordIndexProjection(sha256Of) },
  })
