import assert from 'node:assert/strict'
import { decodePayload, type Event, encodePayload, PayloadError } from '../../../src/events/index.ts'
import { EVERY_KIND } from '../samples.ts'

// Each bound of a payload: what is at it is read, what is one past it is refused. An encoder checks nothing.

const sample = (kind: Event['kind']): Event => {
  const found = EVERY_KIND.find(({ event }) => event.kind === kind)
  assert.ok(found, kind)
  return found.event
}

const text = (bytes: number) => 'x'.repeat(bytes)
/** Three bytes a character. */
const wide = (bytes: number) => '電'.repeat(Math.floor(bytes / 3)) + text(bytes % 3)
const bytes = (count: number) => new Uint8Array(count)
const runs = (count: number) => Array.from({ length: count }, (_, first) => ({ first: first * 2, count: 1 }))
const badPieces = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ index, evidence: 'sole-source', offset: 0, length: 1 },
    ...{ expected: '1'.repeat(40), received: '2'.repeat(40) },
  }))

type Bound = { kind: Event['kind']; field: string; at: unknown; past: unknown }
const bound = (kind: Event['kind'], field: string, max: number, of: (size: number) => unknown): Bound => ({
  ...{ kind, field, at: of(max), past: of(max + 1) },
})

const SCHEDULED = { when: '0 8 * * *', downloadBytesPerSecond: 1, uploadBytesPerSecond: 2 }

const BOUNDS: readonly Bound[] = [
  bound('node.started', 'software', 128, text),
  bound('node.stopped', 'reason', 3_072, text),
  bound('node.stopped', 'reason', 3_072, wide),
  bound('policy.adopted', 'policy', 128, wide),
  bound('network.joined', 'genesis', 256, bytes),
  bound('network.joined', 'credential', 320, bytes),
  bound('node.admitted', 'credential', 320, bytes),
  bound('access.revoked', 'revocation', 192, bytes),
  bound('access.revoked', 'ownerSignature', 64, bytes),
  bound('owner.charged', 'keyword', 1_536, text),
  bound('operator.banned', 'reason', 3_072, wide),
  bound('torrent.published', 'title', 1_536, text),
  bound('torrent.published', 'title', 1_536, wide),
  bound('torrent.published', 'tags', 32, (count) => Array(count).fill('film')),
  bound('torrent.published', 'tags', 192, (length) => [wide(length)]),
  bound('torrent.withdrawn', 'title', 1_536, wide),
  bound('piece.judged', 'good', 4_096, runs),
  bound('piece.judged', 'good', 2 ** 32 - 5, (count) => [{ first: 5, count }]),
  bound('piece.judged', 'bad', 4_096, badPieces),
  bound('piece.suspected', 'sources', 4_096, (count) => Array(count).fill('a'.repeat(64))),
  bound('download.verified', 'pieces', 4_096, runs),
  bound('download.stamped', 'stamps', 4_096, (count) => Array.from({ length: count }, (_, file) => ({ file, stamp: '1' }))),
  bound('download.stamped', 'stamps', 96, (length) => [{ file: 0, stamp: wide(length) }]),
  bound('download.changed', 'path', 4_096, wide),
  bound('download.selected', 'priorities', 65_536, (length) => '3'.repeat(length)),
  bound('download.selected', 'others', 3, (priority) => priority),
  bound('download.selected', 'pieces', 65_536, runs),
  bound('download.sourced', 'trackers', 128, (count) => Array(count).fill('udp://a')),
  bound('download.sourced', 'trackers', 2_048, (length) => [wide(length)]),
  bound('download.sourced', 'webSeeds', 128, (count) => Array(count).fill('http://a')),
  bound('download.moving', 'directory', 4_096, wide),
  bound('download.moving', 'names', 1_024, (count) => Array(count).fill({ file: 1, name: 'a' })),
  bound('download.moving', 'names', 255, (length) => [{ file: null, name: wide(length) }]),
  bound('client.configured', 'schedule', 64, (count) => Array(count).fill(SCHEDULED)),
  bound('client.configured', 'schedule', 128, (length) => [{ ...SCHEDULED, when: wide(length) }]),
  bound('member.alive', 'port', 65_535, (port) => port),
  bound('member.alive', 'dhtPort', 65_535, (port) => port),
  bound('member.alive', 'incarnation', Number.MAX_SAFE_INTEGER, (count) => count),
]

describe('a payload', () => {
  for (const { kind, field, at, past } of BOUNDS) {
    it(`of ${kind} is read with a ${field} at its bound, and refused one past it`, () => {
      const read = (value: unknown) => {
        const { number, payload } = encodePayload({ ...sample(kind), [field]: value } as Event)
        return decodePayload(number, payload)
      }
      assert.deepEqual((read(at) as unknown as Record<string, unknown>)[field], at)
      assert.throws(() => read(past), PayloadError)
    })
  }

  it('with an empty run of pieces is refused', () => {
    const { number, payload } = encodePayload({ ...sample('download.verified'), pieces: [{ first: 1, count: 0 }] } as Event)
    assert.throws(() => decodePayload(number, payload), /a piece range is empty/)
  })
})
