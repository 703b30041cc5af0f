import assert from 'node:assert/strict'
import { decodePayload, type Event, encodePayload } from '../../../src/events/index.ts'
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

/** `says`: what the refusal calls it. */
type Bound = { kind: Event['kind']; field: string; says: string; at: unknown; past: unknown }
const bound = (kind: Event['kind'], field: string, says: string, max: number, of: (size: number) => unknown): Bound => ({
  ...{ kind, field, says, at: of(max), past: of(max + 1) },
})

const SCHEDULED = { when: '0 8 * * *', downloadBytesPerSecond: 1, uploadBytesPerSecond: 2 }

const BOUNDS: readonly Bound[] = [
  bound('node.started', 'software', 'a version has', 128, text),
  bound('node.stopped', 'reason', 'a reason has', 3_072, text),
  bound('node.stopped', 'reason', 'a reason has', 3_072, wide),
  bound('policy.adopted', 'policy', 'a policy has', 128, wide),
  bound('network.joined', 'genesis', 'a genesis record has', 256, bytes),
  bound('network.joined', 'credential', 'a credential has', 320, bytes),
  bound('node.admitted', 'credential', 'a credential has', 320, bytes),
  bound('access.revoked', 'revocation', 'a revocation has', 192, bytes),
  bound('access.revoked', 'ownerSignature', 'a signature must have 64', 64, bytes),
  bound('owner.charged', 'keyword', 'a keyword has', 1_536, text),
  bound('operator.banned', 'reason', 'a reason has', 3_072, wide),
  bound('torrent.published', 'title', 'a title has', 1_536, text),
  bound('torrent.published', 'title', 'a title has', 1_536, wide),
  bound('torrent.published', 'tags', 'more than 32 tags', 32, (count) => Array(count).fill('film')),
  bound('torrent.published', 'tags', 'a tag has', 192, (length) => [wide(length)]),
  bound('torrent.withdrawn', 'title', 'a title has', 1_536, wide),
  bound('piece.judged', 'good', 'more than 4096 piece ranges', 4_096, runs),
  bound('piece.judged', 'good', 'empty or too long', 2 ** 32 - 5, (count) => [{ first: 5, count }]),
  bound('piece.judged', 'bad', 'more than 4096 bad pieces', 4_096, badPieces),
  bound('piece.suspected', 'sources', 'more than 4096 sources', 4_096, (count) => Array(count).fill('a'.repeat(64))),
  bound('download.verified', 'pieces', 'more than 4096 piece ranges', 4_096, runs),
  bound('download.stamped', 'stamps', 'more than 4096 stamps', 4_096, (count) =>
    Array.from({ length: count }, (_, file) => ({ file, stamp: '1' })),
  ),
  bound('download.stamped', 'stamps', 'a stamp has', 96, (length) => [{ file: 0, stamp: wide(length) }]),
  bound('download.changed', 'path', 'a path has', 4_096, wide),
  bound('download.selected', 'priorities', 'priorities of files has', 65_536, (length) => '3'.repeat(length)),
  bound('download.selected', 'others', 'unknown priority of files', 3, (priority) => priority),
  bound('download.selected', 'pieces', 'more than 65536 piece ranges', 65_536, runs),
  bound('download.sourced', 'trackers', 'more than 128 trackers', 128, (count) => Array(count).fill('udp://a')),
  bound('download.sourced', 'trackers', 'an address has', 2_048, (length) => [wide(length)]),
  bound('download.sourced', 'webSeeds', 'more than 128 web seeds', 128, (count) => Array(count).fill('http://a')),
  bound('download.moving', 'directory', 'a directory has', 4_096, wide),
  bound('download.moving', 'names', 'more than 1024 names', 1_024, (count) => Array(count).fill({ file: 1, name: 'a' })),
  bound('download.moving', 'names', 'a name has', 255, (length) => [{ file: null, name: wide(length) }]),
  bound('download.sourced', 'webSeeds', 'an address has', 2_048, (length) => [wide(length)]),
  bound('torrent.verified', 'title', 'a title has', 1_536, wide),
  bound('download.checked', 'pieces', 'more than 4096 piece ranges', 4_096, runs),
  bound('client.configured', 'schedule', 'more than 64 scheduled rates', 64, (count) => Array(count).fill(SCHEDULED)),
  bound('client.configured', 'schedule', 'a cron pattern has', 128, (length) => [{ ...SCHEDULED, when: wide(length) }]),
  bound('member.alive', 'port', 'a port is out', 65_535, (port) => port),
  bound('member.alive', 'dhtPort', 'a port is out', 65_535, (port) => port),
  bound('member.alive', 'incarnation', 'a count is out', Number.MAX_SAFE_INTEGER, (count) => count),
]

describe('a payload', () => {
  for (const { kind, field, says, at, past } of BOUNDS) {
    it(`of ${kind} is read with a ${field} at its bound, and refused one past it`, () => {
      const read = (value: unknown) => {
        const { number, payload } = encodePayload({ ...sample(kind), [field]: value } as Event)
        return decodePayload(number, payload)
      }
      assert.deepEqual((read(at) as unknown as Record<string, unknown>)[field], at)
      assert.throws(() => read(past), { name: 'PayloadError', message: new RegExp(says) })
    })
  }

  it('with an empty run of pieces is refused', () => {
    const { number, payload } = encodePayload({ ...sample('download.verified'), pieces: [{ first: 1, count: 0 }] } as Event)
    assert.throws(() => decodePayload(number, payload), /a piece range is empty/)
  })
})
