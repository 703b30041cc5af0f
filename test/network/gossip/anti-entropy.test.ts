import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type NodeId, toHex, type VersionVector } from '../../../src/events/index.ts'
import { AntiEntropy, FETCH_EVENTS_MAX, limited } from '../../../src/network/gossip/anti-entropy.ts'
import { AuthorRates } from '../../../src/network/gossip/author-rates.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { bucketBits, bucketOf, differingBuckets, hasBucket, Summariser } from '../../../src/network/gossip/vector-summary.ts'
import { OPEN_RULES } from '../open-rules.ts'

const author = (digit: string): NodeId => digit.repeat(64) as NodeId
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as NodeId)
const vector: fc.Arbitrary<VersionVector> = fc
  .array(fc.tuple(key, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 200 })
  .map((entries) => new Map(entries))

const summarise = (heads: VersionVector, salt: number): Uint8Array => new Summariser().summarise(heads, salt)

describe('summary of a version vector', () => {
  it('is the same for the same heads, whatever their order', () => {
    fc.assert(
      fc.property(vector, fc.nat(), (heads, salt) => {
        assert.deepEqual(summarise(heads, salt), summarise(new Map([...heads].reverse()), salt))
      }),
    )
  })

  it('differs in exactly the bucket of an author whose head moved', () => {
    fc.assert(
      fc.property(vector, key, fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), (heads, moved, head, salt) => {
        const before = new Map(heads).set(moved, head)
        const after = new Map(heads).set(moved, head + 1)
        assert.deepEqual(differingBuckets(summarise(before, salt), summarise(after, salt)), [bucketOf(moved)])
      }),
    )
  })

  it('does not depend on which vectors were summarised before', () => {
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 5 }), fc.nat(), (vectors, salt) => {
        const summariser = new Summariser()
        for (const heads of vectors) assert.deepEqual(summariser.summarise(heads, salt), summarise(heads, salt))
      }),
    )
  })

  it('keeps a set of buckets in eight bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63)), (buckets) => {
        const bits = bucketBits(buckets)
        assert.equal(bits.length, 8)
        for (let bucket = 0; bucket < 64; bucket++) assert.equal(hasBucket(bits, bucket), buckets.includes(bucket))
      }),
    )
  })
})

describe('a fetch', () => {
  it('asks for all that is missing while that is little', () => {
    const ranges = [{ author: author('a'), from: 3, to: 9 }]
    assert.deepEqual(limited(ranges), ranges)
  })

  it('gives each author a share, so that a long backlog does not keep a short one waiting', () => {
    const asked = limited([
      { author: author('a'), from: 1, to: 1_000_000 },
      { author: author('b'), from: 11, to: 20 },
      { author: author('c'), from: 1, to: 1_000_000 },
    ])
    const share = Math.floor((FETCH_EVENTS_MAX - 10) / 2)
    assert.deepEqual(asked, [
      { author: author('b'), from: 11, to: 20 },
      { author: author('a'), from: 1, to: share },
      { author: author('c'), from: 1, to: share },
    ])
  })
})

describe('anti-entropy', () => {
  it('compares as often as at first once a fetch stayed without an answer', () => {
    const peer = author('1')
    const held = { lamport: 1, has: () => false, versionVector: () => new Map<NodeId, number>() }
    const antiEntropy = new AntiEntropy(held, new SeenEvents(10, 1_000), new PullPause(), () => 0.5, OPEN_RULES)
    const waitMs = (now: number): number => {
      const wake = antiEntropy.compare(now).find((effect) => effect.do === 'wake')
      assert.ok(wake?.do === 'wake')
      return wake.afterMs
    }
    antiEntropy.linkUp(peer, false, 0)
    for (let round = 0; round < 10; round++) waitMs(round * 10_000)
    assert.equal(waitMs(100_000), 5_000)
    const asked = antiEntropy.vector(
      peer,
      { buckets: bucketBits([]), heads: [{ author: author('2'), authorSeq: 3 }], reply: true },
      100_000,
    )
    assert.ok(asked.some((effect) => effect.do === 'send' && effect.message.type === 'fetch'))
    assert.equal(waitMs(102_499), 5_000)
    assert.equal(waitMs(102_500), 1_000)
  })

  it('asks nobody for what a revoked author said, and still names what is held of it', () => {
    const [peer, revoked, other] = [author('1'), author('2'), author('3')]
    const held = { lamport: 1, has: () => false, versionVector: () => new Map([[revoked, 7]]) }
    const rules = { isShut: (one: NodeId) => one === revoked }
    const antiEntropy = new AntiEntropy(held, new SeenEvents(10, 1_000), new PullPause(), () => 0.5, rules)
    antiEntropy.linkUp(peer, false, 0)
    const sent = (heads: readonly { author: NodeId; authorSeq: number }[]) =>
      antiEntropy
        .vector(peer, { buckets: bucketBits([bucketOf(revoked)]), heads, reply: false }, 1_000)
        .map((effect) => (effect.do === 'send' ? effect.message : assert.fail()))
    const [fetch, ...rest] = sent([
      { author: revoked, authorSeq: 9 },
      { author: other, authorSeq: 2 },
    ])
    assert.deepEqual(fetch, { type: 'fetch', id: 1, ranges: [{ author: other, from: 1, to: 2 }] })
    assert.deepEqual(rest, [])
    const [named] = sent([])
    assert.ok(named?.type === 'vector')
    assert.deepEqual(named.heads, [{ author: revoked, authorSeq: 7 }])
  })
})

describe('author rates', () => {
  it('lets a burst pass, then so many a second, each author by itself', () => {
    const rates = new AuthorRates(10, 5, 100)
    const taken = (by: string, count: number, now: number) =>
      Array.from({ length: count }, () => rates.take(author(by), now)).filter(Boolean).length
    assert.equal(taken('a', 20, 0), 5)
    assert.equal(taken('b', 20, 0), 5)
    assert.equal(taken('a', 20, 300), 3)
    assert.equal(taken('a', 20, 100_000), 5)
  })
})
