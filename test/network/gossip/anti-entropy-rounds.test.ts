import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import {
  AntiEntropy,
  type AntiEntropyOptions,
  FETCH_EVENTS_MAX,
  SUPPLIED_NAMED_MAX,
  UNKEPT_FIRST_MS,
} from '../../../src/network/gossip/anti-entropy.ts'
import { FirstHand } from '../../../src/network/gossip/first-hand.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { PrunedElsewhere } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { bucketBits, bucketOf, hasBucket, Summariser } from '../../../src/network/gossip/vector-summary.ts'
import { type AuthorRange, type Head, WIRE_ITEMS_MAX } from '../../../src/network/wire.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, peerOf, SELF, sent } from './gossip-at-the-door.ts'

const [PEER, OTHER, AUTHOR] = [peerOf(1), peerOf(2), authorOf(1)]
const ALL = bucketBits(Array.from({ length: 64 }, (_, bucket) => bucket))
const NONE = bucketBits([])
const RETENTION_MS = 1_000
/** Peers whose broken promises are remembered. */
const UNKEPT_PEERS_MAX = 1_024
/** Patience with a fetch; the gap between two comparisons with one peer, and between two answers to one. */
const [PATIENCE_MS, COMPARE_GAP_MS, ANSWER_GAP_MS] = [2_500, 250, 20]

describe('rounds of anti-entropy', () => {
  let held: Map<NodeId, number>
  let apart: Set<number>
  let antiEntropy: AntiEntropy
  let rules: AntiEntropyOptions['rules']
  let pruned: PrunedElsewhere
  beforeEach(() => {
    held = new Map()
    apart = new Set()
    rules = { ...OPEN_RULES }
    const log = {
      lamport: 1,
      has: ({ author, authorSeq }: Head) => authorSeq <= (held.get(author) ?? 0) || apart.has(authorSeq),
      versionVector: () => held,
    }
    pruned = new PrunedElsewhere({ self: SELF, held: log, retentionMs: RETENTION_MS, isRecovering: () => false })
    antiEntropy = new AntiEntropy({
      ...{ held: log, seen: new SeenEvents(10, 1_000), pause: new PullPause(), pruned, random: () => 0.5 },
      rules: { isRevoked: (author) => rules.isRevoked(author), isShut: (...about) => rules.isShut(...about) },
      firstHand: new FirstHand({}),
    })
    antiEntropy.linkUp(PEER, false, 0)
    antiEntropy.linkUp(OTHER, false, 0)
  })

  /** Authors of one bucket: the digits that a summary looks at differ. */
  const inBucket = (bucket: number, count: number): NodeId[] =>
    Array.from(
      { length: count },
      (_, index) => `${bucket.toString(16).padStart(2, '0')}${index.toString(16).padStart(8, '0')}`.padEnd(64, '0') as NodeId,
    )
  const summary = (vector: ReadonlyMap<NodeId, number>, now: number, from = PEER) =>
    sent(antiEntropy.summary(from, { salt: 1, buckets: new Summariser().summarise(vector, 1) }, now), 'vector')
  const heads = (from: NodeId, now: number, list: readonly Head[], more = { buckets: NONE, reply: true }) =>
    antiEntropy.vector(from, { heads: list, ...more }, now)
  /** The fetch that follows from the word of a peer that it has an author's events up to one. */
  const fetch = (now: number, { from = PEER, author = AUTHOR, authorSeq = 9 } = {}) =>
    sent(heads(from, now, [{ author, authorSeq }]), 'fetch')[0]?.message
  const supplied = (id: number | undefined, now: number, gained = 0, from = PEER) =>
    antiEntropy.supplied(from, id ?? -1, gained, true, now)
  /** All that is asked for comes, or so much of it. */
  const brings = (id: number | undefined, now: number, gained: number) => {
    antiEntropy.brought(PEER, id ?? -1, AUTHOR)
    return supplied(id, now, gained)
  }
  const range = (from: number, to: number, author = AUTHOR): AuthorRange => ({ author, from, to })

  describe('an answer to a summary', () => {
    it('has the heads of the buckets that differ, and says which those are', () => {
      const [a, b] = [inBucket(3, 1)[0] as NodeId, inBucket(9, 1)[0] as NodeId]
      held = new Map([
        [a, 5],
        [b, 7],
      ])
      const [answer] = summary(new Map([[b, 7]]), 0)
      assert.deepEqual(
        [answer?.to, answer?.message.heads, [...(answer?.message.buckets ?? [])], answer?.message.reply],
        [PEER, [{ author: a, authorSeq: 5 }], [...bucketBits([3])], false],
      )
      assert.deepEqual(summary(held, ANSWER_GAP_MS), [], 'where nothing differs there is none')
    })

    it('comes no more often than every 20 ms, for each peer', () => {
      held = new Map([[AUTHOR, 1]])
      assert.deepEqual(
        [0, 0, ANSWER_GAP_MS - 1, ANSWER_GAP_MS].map((now) => summary(new Map(), now).length),
        [1, 0, 0, 1],
      )
      assert.equal(summary(new Map(), ANSWER_GAP_MS, OTHER).length, 1)
      assert.deepEqual(summary(new Map(), 99, peerOf(9)), [], 'of nobody')
    })

    it('names no bucket as whole that did not fit', () => {
      const whole = inBucket(3, WIRE_ITEMS_MAX)
      held = new Map(whole.map((author) => [author, 1]))
      const [fits] = summary(new Map(), 0)
      assert.deepEqual([fits?.message.heads.length, hasBucket(fits?.message.buckets ?? NONE, 3)], [WIRE_ITEMS_MAX, true])
      held = new Map(inBucket(3, WIRE_ITEMS_MAX + 1).map((author) => [author, 1]))
      const [cut] = summary(new Map(), 1_000)
      assert.deepEqual([cut?.message.heads.length, hasBucket(cut?.message.buckets ?? ALL, 3)], [WIRE_ITEMS_MAX, false])
    })

    it('has whole buckets as far as it reaches, and leaves the others', () => {
      held = new Map([...inBucket(3, 900), ...inBucket(4, 900), ...inBucket(5, 100)].map((author) => [author, 1]))
      // With a draw of 0.5 it begins with the second of the three.
      const [answer] = summary(new Map(), 0)
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
      held = new Map([
        [AUTHOR, 5],
        [authorOf(2), 5],
        [unlisted, 5],
      ])
      const about = { buckets: bucketBits([bucketOf(AUTHOR)]), reply: false }
      assert.equal(bucketOf(authorOf(2)), bucketOf(AUTHOR))
      const answer = named(heads(PEER, 0, [{ author: AUTHOR, authorSeq: 4 }], about))
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
      const listed = named(heads(PEER, 0, [{ author: unlisted, authorSeq: 4 }], { buckets: NONE, reply: false }))
      assert.deepEqual(listed?.heads, [{ author: unlisted, authorSeq: 5 }], 'of a bucket that is not whole, what it named')
      assert.equal(
        named(
          heads(
            PEER,
            0,
            [...held].map(([author, authorSeq]) => ({ author, authorSeq })),
            about,
          ),
        ),
        undefined,
      )
    })

    it('that is an answer is not answered', () => {
      held = new Map([[AUTHOR, 5]])
      assert.deepEqual(heads(PEER, 0, [{ author: AUTHOR, authorSeq: 4 }], { buckets: ALL, reply: true }), [])
    })

    it(`is answered with ${WIRE_ITEMS_MAX} heads at most`, () => {
      for (const more of [0, 1]) {
        held = new Map(inBucket(3, WIRE_ITEMS_MAX + more).map((author) => [author, 1]))
        assert.equal(named(heads(PEER, 0, [], { buckets: ALL, reply: false }))?.heads.length, WIRE_ITEMS_MAX)
      }
    })

    it('has nothing fetched that nobody would take, or that is held', () => {
      rules = { ...OPEN_RULES, isShut: (author, stream) => author === AUTHOR && stream === 'gossip' }
      held.set(authorOf(2), 9)
      assert.deepEqual([fetch(0), fetch(0, { author: authorOf(2) })], [undefined, undefined])
      assert.deepEqual(fetch(0, { author: authorOf(2), authorSeq: 10 })?.ranges, [range(10, 10, authorOf(2))])
    })

    it('has the gaps filled, each asked for with the event above it', () => {
      held.set(AUTHOR, 2)
      apart = new Set([5, 6, 8])
      assert.deepEqual(fetch(0, { authorSeq: 9 })?.ranges, [range(3, 5), range(7, 8), range(9, 9)])
    })
  })

  describe('a comparison', () => {
    it('with one peer comes no more often than every 250 ms', () => {
      antiEntropy.linkDown(OTHER)
      assert.deepEqual(
        [0, 0, COMPARE_GAP_MS - 1, COMPARE_GAP_MS].map((now) => sent(antiEntropy.compareOnce(now), 'summary').length),
        [1, 0, 0, 1],
      )
      antiEntropy.linkDown(PEER)
      assert.deepEqual(antiEntropy.compareOnce(9_999), [], 'with nobody')
    })

    it('follows from a link of our own making at once, the next ones soon, one after the other', () => {
      const up = [3, 4, 5].map((number) => antiEntropy.linkUp(peerOf(number), true, 1_000))
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
      const soon = [1_300, 1_600, 1_900].map((now) => antiEntropy.compareSoon(now))
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
        const id = fetch(0, { authorSeq: gained })?.id
        const effects = brings(id, 0, gained)
        assert.equal(
          effects.some((effect) => effect.do === 'wake' && effect.timer.name === 'compare-soon'),
          isSoon,
        )
      }
    })

    it('with the same peer follows at once where less came than was asked for, or more is to be had', () => {
      const id = fetch(0, { authorSeq: 9 })?.id
      assert.deepEqual(
        sent(brings(id, 1, 8), 'summary').map(({ to }) => to),
        [PEER],
      )
      assert.deepEqual(sent(brings(fetch(2, { authorSeq: 9 })?.id, 3, 9), 'summary'), [], 'all of it came')
      const long = fetch(4, { authorSeq: FETCH_EVENTS_MAX + 1 })
      assert.deepEqual(long?.ranges, [range(1, FETCH_EVENTS_MAX)])
      assert.equal(sent(brings(long?.id, 5, FETCH_EVENTS_MAX), 'summary').length, 1)
    })
  })

  describe('a promise', () => {
    /** True if the peer is asked at this time for something that nobody was asked for. */
    let next = 100
    const isAsked = (now: number, from = PEER) => fetch(now, { from, author: authorOf(next++) })
    const breaks = (now: number) => supplied(isAsked(now)?.id, now)

    it('is kept by an event of an author that was asked for, though it is not let in, and by no other', () => {
      const id = fetch(0)?.id ?? -1
      antiEntropy.brought(PEER, id, AUTHOR)
      supplied(id, 0)
      const kept = isAsked(0)
      assert.ok(kept)
      antiEntropy.brought(PEER, kept.id, AUTHOR)
      antiEntropy.brought(PEER, kept.id + 1, authorOf(next - 1))
      antiEntropy.brought(OTHER, kept.id, authorOf(next - 1))
      supplied(kept.id, 0)
      assert.deepEqual([isAsked(UNKEPT_FIRST_MS - 1), isAsked(UNKEPT_FIRST_MS) === undefined], [undefined, false])
    })

    it('that is kept makes good those that were not', () => {
      breaks(0)
      const id = isAsked(UNKEPT_FIRST_MS)?.id ?? -1
      antiEntropy.brought(PEER, id, authorOf(next - 1))
      supplied(id, UNKEPT_FIRST_MS)
      breaks(UNKEPT_FIRST_MS)
      assert.ok(isAsked(2 * UNKEPT_FIRST_MS), 'the first again')
    })

    it('is broken by who does not answer at all', () => {
      assert.ok(isAsked(0))
      assert.equal(isAsked(PATIENCE_MS - 1), undefined, 'one thing at a time')
      assert.equal(isAsked(PATIENCE_MS), undefined)
      assert.ok(isAsked(PATIENCE_MS, OTHER))
      assert.ok(isAsked(PATIENCE_MS + UNKEPT_FIRST_MS))
    })

    it('is not broken by who was still bringing what it promised', () => {
      const id = isAsked(0)?.id ?? -1
      antiEntropy.brought(PEER, id, authorOf(next - 1))
      assert.ok(isAsked(PATIENCE_MS))
    })

    it(`that is broken is remembered of ${UNKEPT_PEERS_MAX} peers, and the one of longest ago is forgotten`, () => {
      const peers = Array.from({ length: UNKEPT_PEERS_MAX + 1 }, (_, index) => peerOf(100 + index))
      for (const from of peers) antiEntropy.linkUp(from, false, 0)
      for (const [index, from] of peers.entries()) {
        if (index === UNKEPT_PEERS_MAX) assert.equal(isAsked(0, peers[0]), undefined)
        supplied(isAsked(0, from)?.id, 0, 0, from)
      }
      const first = isAsked(0, peers[0])
      assert.ok(first)
      assert.equal(isAsked(0, peers[1]), undefined)
    })
  })

  describe('events of a supply', () => {
    it('are looked at again where they stand right above something missing that was asked for', () => {
      apart = new Set([5, 7])
      const id = fetch(0, { authorSeq: 9 })?.id ?? -1
      const isAbove = (authorSeq: number, more: { author?: NodeId; id?: number; from?: NodeId } = {}) =>
        antiEntropy.isAboveMissing(more.from ?? PEER, more.id ?? id, { author: more.author ?? AUTHOR, authorSeq })
      assert.deepEqual([isAbove(5), isAbove(7), isAbove(9), isAbove(10)], [true, true, true, false])
      assert.deepEqual(
        [isAbove(5, { author: authorOf(2) }), isAbove(5, { id: id + 1 }), isAbove(5, { from: OTHER })],
        [...[false, false, false]],
      )
      apart = new Set([4, 5, 7])
      assert.deepEqual([isAbove(5), isAbove(1)], [false, false], 'nothing is missing below')
    })

    it(`prove what is pruned below them, ${FETCH_EVENTS_MAX} of one author in one fetch`, () => {
      for (const [events, head] of [
        [FETCH_EVENTS_MAX - 1, 10],
        [FETCH_EVENTS_MAX, 0],
      ] as const) {
        const author = authorOf(events)
        const id = fetch(5_000, { author, authorSeq: 9_000 })?.id ?? -1
        for (let count = 0; count < events; count++) antiEntropy.signed(PEER, id, author, { authorSeq: 11 + count, at: 5_000 })
        // Only this one is as old as what honest nodes prune.
        antiEntropy.signed(PEER, id, author, { authorSeq: 8_000, at: 0 })
        antiEntropy.gone(PEER, id, [range(1, 10, author)], 5_000)
        assert.equal(pruned.vector(5_000).get(author) ?? 0, head)
        supplied(id, 5_000, 1)
      }
    })
  })
})
