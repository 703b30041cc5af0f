import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type NodeId, toHex, type VersionVector } from '../../../src/events/index.ts'
import type { HeldEvents } from '../../../src/network/gossip/admission.ts'
import {
  AntiEntropy,
  type AntiEntropyOptions,
  FETCH_EVENTS_MAX,
  limited,
  VAIN_MAX,
} from '../../../src/network/gossip/anti-entropy.ts'
import { AuthorRates } from '../../../src/network/gossip/author-rates.ts'
import { FirstHand } from '../../../src/network/gossip/first-hand.ts'
import { PrunedElsewhere } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { bucketBits, bucketOf, differingBuckets, hasBucket, Summariser } from '../../../src/network/gossip/vector-summary.ts'
import { OPEN_RULES } from '../open-rules.ts'

const author = (digit: string): NodeId => digit.repeat(64) as NodeId
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as NodeId)
const vector: fc.Arbitrary<VersionVector> = fc
  .array(fc.tuple(key, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 200 })
  .map((entries) => new Map(entries))

function antiEntropyOf(held: HeldEvents, rules: AntiEntropyOptions['rules'] = OPEN_RULES): AntiEntropy {
  const pruned = new PrunedElsewhere({ self: author('0'), held, retentionMs: 1, isRecovering: () => false })
  const [seen, pause] = [new SeenEvents(10, 1_000), new PullPause()]
  return new AntiEntropy({ held, seen, pause, pruned, random: () => 0.5, rules, firstHand: new FirstHand({}) })
}

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
    const antiEntropy = antiEntropyOf(held)
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

  const askedOf = (antiEntropy: AntiEntropy, peer: NodeId, heads: readonly { author: NodeId; authorSeq: number }[]) =>
    antiEntropy
      .vector(peer, { buckets: bucketBits([]), heads, reply: true }, 1_000)
      .flatMap((effect) => (effect.do === 'send' && effect.message.type === 'fetch' ? [effect.message] : []))

  it('asks once for what a revoked author said, and then only for what is new, which may be a new admission', () => {
    const [peer, revoked] = [author('1'), author('2')]
    const held = { lamport: 1, has: () => false, versionVector: () => new Map([[revoked, 2]]) }
    const rules = { isRevoked: (one: NodeId) => one === revoked, isShut: () => false }
    const antiEntropy = antiEntropyOf(held, rules)
    antiEntropy.linkUp(peer, false, 0)
    const asked = (authorSeq: number) => {
      const [fetch] = askedOf(antiEntropy, peer, [{ author: revoked, authorSeq }])
      if (fetch !== undefined) {
        antiEntropy.brought(peer, fetch.id, revoked)
        antiEntropy.supplied(peer, fetch.id, 0, true, 1_000)
      }
      return fetch?.ranges
    }
    assert.deepEqual(asked(9), [{ author: revoked, from: 3, to: 9 }])
    assert.equal(asked(9), undefined, 'none of it was taken')
    assert.deepEqual(asked(11), [{ author: revoked, from: 10, to: 11 }])
    // And it still names what it holds of it.
    const [named] = antiEntropy.vector(peer, { buckets: bucketBits([bucketOf(revoked)]), heads: [], reply: false }, 1_000)
    assert.ok(named?.do === 'send' && named.message.type === 'vector')
    assert.deepEqual(named.message.heads, [{ author: revoked, authorSeq: 2 }])
  })

  it('remembers so many revoked authors, and asks again for the one forgotten', () => {
    const peer = author('1')
    const held = { lamport: 1, has: () => false, versionVector: () => new Map<NodeId, number>() }
    const antiEntropy = antiEntropyOf(held, { isRevoked: () => true, isShut: () => false })
    antiEntropy.linkUp(peer, false, 0)
    const named = (index: number) => index.toString(16).padStart(64, '0') as NodeId
    const isAsked = (index: number) => {
      const [fetch] = askedOf(antiEntropy, peer, [{ author: named(index), authorSeq: 1 }])
      if (fetch !== undefined) {
        antiEntropy.brought(peer, fetch.id, named(index))
        antiEntropy.supplied(peer, fetch.id, 0, true, 1_000)
      }
      return fetch !== undefined
    }
    for (let index = 0; index < VAIN_MAX; index++) assert.equal(isAsked(index), true)
    assert.equal(isAsked(0), false)
    assert.equal(isAsked(VAIN_MAX), true)
    assert.equal(isAsked(1), false)
    assert.equal(isAsked(0), true)
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
