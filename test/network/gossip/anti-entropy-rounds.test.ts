import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { FETCH_EVENTS_MAX, SUPPLIED_NAMED_MAX } from '../../../src/network/gossip/anti-entropy.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { bucketBits, bucketOf, hasBucket } from '../../../src/network/gossip/vector-summary.ts'
import { WIRE_ITEMS_MAX } from '../../../src/network/wire.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, peerOf, sent } from './gossip-at-the-door.ts'
import { AUTHOR, NONE, OTHER, PEER, RoundsAtWork, range } from './rounds-at-work.ts'

const ALL = bucketBits(Array.from({ length: 64 }, (_, bucket) => bucket))
/** The gap between two comparisons with one peer, and between two answers to one. */
const [COMPARE_GAP_MS, ANSWER_GAP_MS] = [250, 20]

describe('rounds of anti-entropy', () => {
  let at: RoundsAtWork
  beforeEach(() => {
    at = new RoundsAtWork()
  })

  /** Authors of one bucket: the digits that a summary looks at differ. */
  const inBucket = (bucket: number, count: number): NodeId[] =>
    Array.from(
      { length: count },
      (_, index) => `${bucket.toString(16).padStart(2, '0')}${index.toString(16).padStart(8, '0')}`.padEnd(64, '0') as NodeId,
    )
  describe('an answer to a summary', () => {
    it('has the heads of the buckets that differ, and says which those are', () => {
      const [a, b] = [inBucket(3, 1)[0] as NodeId, inBucket(9, 1)[0] as NodeId]
      at.held = new Map([
        [a, 5],
        [b, 7],
      ])
      const [answer] = at.summary(new Map([[b, 7]]), 0)
      assert.deepEqual(
        [answer?.to, answer?.message.heads, [...(answer?.message.buckets ?? [])], answer?.message.reply],
        [PEER, [{ author: a, authorSeq: 5 }], [...bucketBits([3])], false],
      )
      assert.deepEqual(at.summary(at.held, ANSWER_GAP_MS), [], 'where nothing differs there is none')
    })

    it('comes no more often than every 20 ms, for each peer', () => {
      at.held = new Map([[AUTHOR, 1]])
      assert.deepEqual(
        [0, 0, ANSWER_GAP_MS - 1, ANSWER_GAP_MS].map((now) => at.summary(new Map(), now).length),
        [1, 0, 0, 1],
      )
      assert.equal(at.summary(new Map(), ANSWER_GAP_MS, OTHER).length, 1)
      assert.deepEqual(at.summary(new Map(), 99, peerOf(9)), [], 'of nobody')
    })

    it('names no bucket as whole that did not fit', () => {
      const whole = inBucket(3, WIRE_ITEMS_MAX)
      at.held = new Map(whole.map((author) => [author, 1]))
      const [fits] = at.summary(new Map(), 0)
      assert.deepEqual([fits?.message.heads.length, hasBucket(fits?.message.buckets ?? NONE, 3)], [WIRE_ITEMS_MAX, true])
      at.held = new Map(inBucket(3, WIRE_ITEMS_MAX + 1).map((author) => [author, 1]))
      const [cut] = at.summary(new Map(), 1_000)
      assert.deepEqual([cut?.message.heads.length, hasBucket(cut?.message.buckets ?? ALL, 3)], [WIRE_ITEMS_MAX, false])
    })

    it('has whole buckets as far as it reaches, and leaves the others', () => {
      at.held = new Map([...inBucket(3, 900), ...inBucket(4, 900), ...inBucket(5, 100)].map((author) => [author, 1]))
      // With a draw of 0.5 it begins with the second of the three.
      const [answer] = at.summary(new Map(), 0)
      const buckets = answer?.message.buckets ?? NONE
      assert.deepEqual(
        [answer?.message.heads.length, [3, 4, 5].map((bucket) => hasBucket(buckets, bucket))],
        [1_000, [false, true, true]],
      )
    })
  })

  describe('a list of heads', () => {
    const named = (effects: readonly GossipEffect[]) => sent(effects, 'vector')[0]?.message

    it('is answered with those that the other lacks, of what it has told whole', () => {
      const [unlisted] = inBucket((bucketOf(AUTHOR) + 1) % 64, 1) as [NodeId]
      at.held = new Map([
        [AUTHOR, 5],
        [authorOf(2), 5],
        [unlisted, 5],
      ])
      const about = { buckets: bucketBits([bucketOf(AUTHOR)]), reply: false }
      assert.equal(bucketOf(authorOf(2)), bucketOf(AUTHOR))
      const answer = named(at.heads(PEER, 0, [{ author: AUTHOR, authorSeq: 4 }], about))
      assert.deepEqual(
        [answer?.heads, answer?.reply, answer?.buckets],
        [
          [
            { author: AUTHOR, authorSeq: 5 },
            { author: authorOf(2), authorSeq: 5 },
          ],
          true,
          NONE,
        ],
      )
      const listed = named(at.heads(PEER, 0, [{ author: unlisted, authorSeq: 4 }], { buckets: NONE, reply: false }))
      assert.deepEqual(listed?.heads, [{ author: unlisted, authorSeq: 5 }], 'of a bucket that is not whole, what it named')
      assert.equal(
        named(
          at.heads(
            PEER,
            0,
            [...at.held].map(([author, authorSeq]) => ({ author, authorSeq })),
            about,
          ),
        ),
        undefined,
      )
    })

    it('that is an answer is not answered', () => {
      at.held = new Map([[AUTHOR, 5]])
      assert.deepEqual(at.heads(PEER, 0, [{ author: AUTHOR, authorSeq: 4 }], { buckets: ALL, reply: true }), [])
    })

    it(`is answered with ${WIRE_ITEMS_MAX} heads at most`, () => {
      for (const more of [0, 1]) {
        at.held = new Map(inBucket(3, WIRE_ITEMS_MAX + more).map((author) => [author, 1]))
        assert.equal(named(at.heads(PEER, 0, [], { buckets: ALL, reply: false }))?.heads.length, WIRE_ITEMS_MAX)
      }
    })

    it('has nothing fetched that nobody would take, or that is held', () => {
      at.rules = { ...OPEN_RULES, isShut: (author, stream) => author === AUTHOR && stream === 'gossip' }
      at.held.set(authorOf(2), 9)
      assert.deepEqual([at.fetch(0), at.fetch(0, { author: authorOf(2) })], [undefined, undefined])
      assert.deepEqual(at.fetch(0, { author: authorOf(2), authorSeq: 10 })?.ranges, [range(10, 10, authorOf(2))])
    })

    it('has the gaps filled, each asked for with the event above it', () => {
      at.held.set(AUTHOR, 2)
      at.apart = new Set([5, 6, 8])
      assert.deepEqual(at.fetch(0, { authorSeq: 9 })?.ranges, [range(3, 5), range(7, 8), range(9, 9)])
    })
  })

  describe('a comparison', () => {
    it('with one peer comes no more often than every 250 ms', () => {
      at.antiEntropy.linkDown(OTHER)
      assert.deepEqual(
        [0, 0, COMPARE_GAP_MS - 1, COMPARE_GAP_MS].map((now) => sent(at.antiEntropy.compareOnce(now), 'summary').length),
        [1, 0, 0, 1],
      )
      at.antiEntropy.linkDown(PEER)
      assert.deepEqual(at.antiEntropy.compareOnce(9_999), [], 'with nobody')
    })

    it('follows from a link of our own making at once, the next ones soon, one after the other', () => {
      const up = [3, 4, 5].map((number) => at.antiEntropy.linkUp(peerOf(number), true, 1_000))
      assert.deepEqual(
        up.map((effects) => [
          sent(effects, 'summary').map(({ to }) => to),
          effects.flatMap((effect) => (effect.do === 'wake' ? [[effect.timer.name, effect.afterMs]] : [])),
        ]),
        [
          [[peerOf(3)], []],
          [[], [['compare-soon', 300]]],
          [[], []],
        ],
      )
      const soon = [1_300, 1_600, 1_900].map((now) => at.antiEntropy.compareSoon(now))
      assert.deepEqual(
        soon.map((effects) => [sent(effects, 'summary').map(({ to }) => to), effects.some((effect) => effect.do === 'wake')]),
        [
          [[peerOf(4)], true],
          [[peerOf(5)], false],
          [[], false],
        ],
      )
    })

    it('with others follows soon from a supply that is too large to be named', () => {
      for (const [gained, isSoon] of [
        [SUPPLIED_NAMED_MAX, false],
        [SUPPLIED_NAMED_MAX + 1, true],
      ] as const) {
        const id = at.fetch(0, { authorSeq: gained })?.id
        const effects = at.brings(id, 0, gained)
        assert.equal(
          effects.some((effect) => effect.do === 'wake' && effect.timer.name === 'compare-soon'),
          isSoon,
        )
      }
    })

    it('with the same peer follows at once where less came than was asked for, or more is to be had', () => {
      const id = at.fetch(0, { authorSeq: 9 })?.id
      assert.deepEqual(
        sent(at.brings(id, 1, 8), 'summary').map(({ to }) => to),
        [PEER],
      )
      assert.deepEqual(sent(at.brings(at.fetch(2, { authorSeq: 9 })?.id, 3, 9), 'summary'), [], 'all of it came')
      const long = at.fetch(4, { authorSeq: FETCH_EVENTS_MAX + 1 })
      assert.deepEqual(long?.ranges, [range(1, FETCH_EVENTS_MAX)])
      assert.equal(sent(at.brings(long?.id, 5, FETCH_EVENTS_MAX), 'summary').length, 1)
    })
  })
})
