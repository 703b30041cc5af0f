import { bodyOf } from '../src/events/codec/body.ts'
import type { Lamport, Millis, NodeId } from '../src/events/index.ts'
import { encodeSearch, encodeSearchReply } from '../src/roles/index-node/index-messages.ts'
import type { Publication } from './sharding-network.ts'

const NODE = 'ab'.repeat(32) as NodeId
const SIGNATURE = new Uint8Array(64)
/** Words of seeders that go along with a hit where there are so many. */
const SEEDERS = 3

/** Bytes of a search and its answer by one owner, as they are sent: each hit with the events that prove it. */
export function answerBytes(text: string, hits: readonly Publication[]): number {
  const stamp = { lamport: 1e6 as Lamport, authorSeq: 1e4, at: 1_700_000_000_000 as Millis }
  const question = encodeSearch({ text, limit: 20, cursor: '', hops: 0, keyword: text.split(' ')[0] ?? '' })
  const answer = encodeSearchReply({
    hits: hits.map(({ infoHash, title, sizeBytes, seeders, backers }) => {
      const published = { kind: 'torrent.published' as const, infoHash, title, sizeBytes, fileCount: 1, tags: [] }
      const verified = { kind: 'torrent.verified' as const, infoHash, title }
      const events = [published, ...Array.from({ length: Math.min(SEEDERS, backers - 1) }, () => verified)]
      const proof = events.map((event) => ({
        body: bodyOf({ stream: 'index', event }, stamp, NODE),
        signature: SIGNATURE,
      }))
      return { infoHash, seeders, proof }
    }),
    ...{ truncated: true, cursor: '20', answeredBy: NODE },
  })
  return question.length + answer.length
}
