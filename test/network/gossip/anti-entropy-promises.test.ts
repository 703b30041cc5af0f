import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { FETCH_EVENTS_MAX, UNKEPT_FIRST_MS } from '../../../src/network/gossip/anti-entropy.ts'
import { authorOf, peerOf } from './gossip-at-the-door.ts'
import { AUTHOR, OTHER, PEER, RoundsAtWork, range } from './rounds-at-work.ts'

/** Peers whose broken promises are remembered. */
const UNKEPT_PEERS_MAX = 1_024
const PATIENCE_MS = 2_500

describe('promises of anti-entropy', () => {
  let at: RoundsAtWork
  beforeEach(() => {
    at = new RoundsAtWork()
  })

  describe('a promise', () => {
    /** True if the peer is asked at this time for something that nobody was asked for. */
    let next = 100
    const isAsked = (now: number, from = PEER) => at.fetch(now, { from, author: authorOf(next++) })
    const breaks = (now: number) => at.supplied(isAsked(now)?.id, now)

    it('is kept by an event of an author that was asked for, though it is not let in, and by no other', () => {
      const id = at.fetch(0)?.id ?? -1
      at.antiEntropy.brought(PEER, id, AUTHOR)
      at.supplied(id, 0)
      const kept = isAsked(0)
      assert.ok(kept)
      at.antiEntropy.brought(PEER, kept.id, AUTHOR)
      at.antiEntropy.brought(PEER, kept.id + 1, authorOf(next - 1))
      at.antiEntropy.brought(OTHER, kept.id, authorOf(next - 1))
      at.supplied(kept.id, 0)
      assert.deepEqual([isAsked(UNKEPT_FIRST_MS - 1), isAsked(UNKEPT_FIRST_MS) === undefined], [undefined, false])
    })

    it('that is kept makes good those that were not', () => {
      breaks(0)
      const id = isAsked(UNKEPT_FIRST_MS)?.id ?? -1
      at.antiEntropy.brought(PEER, id, authorOf(next - 1))
      at.supplied(id, UNKEPT_FIRST_MS)
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
      at.antiEntropy.brought(PEER, id, authorOf(next - 1))
      assert.ok(isAsked(PATIENCE_MS))
    })

    it(`that is broken is remembered of ${UNKEPT_PEERS_MAX} peers, and the one of longest ago is forgotten`, () => {
      const peers = Array.from({ length: UNKEPT_PEERS_MAX + 1 }, (_, index) => peerOf(100 + index))
      for (const from of peers) at.antiEntropy.linkUp(from, false, 0)
      for (const [index, from] of peers.entries()) {
        if (index === UNKEPT_PEERS_MAX) assert.equal(isAsked(0, peers[0]), undefined)
        at.supplied(isAsked(0, from)?.id, 0, 0, from)
      }
      const first = isAsked(0, peers[0])
      assert.ok(first)
      assert.equal(isAsked(0, peers[1]), undefined)
    })
  })

  describe('events of a supply', () => {
    it('are looked at again where they stand right above something missing that was asked for', () => {
      at.apart = new Set([5, 7])
      const id = at.fetch(0, { authorSeq: 9 })?.id ?? -1
      const isAbove = (authorSeq: number, more: { author?: NodeId; id?: number; from?: NodeId } = {}) =>
        at.antiEntropy.isAboveMissing(more.from ?? PEER, more.id ?? id, { author: more.author ?? AUTHOR, authorSeq })
      assert.deepEqual([isAbove(5), isAbove(7), isAbove(9), isAbove(10)], [true, true, true, false])
      assert.deepEqual(
        [isAbove(5, { author: authorOf(2) }), isAbove(5, { id: id + 1 }), isAbove(5, { from: OTHER })],
        [...[false, false, false]],
      )
      at.apart = new Set([4, 5, 7])
      assert.deepEqual([isAbove(5), isAbove(1)], [false, false], 'nothing is missing below')
    })

    it(`prove what is pruned below them, ${FETCH_EVENTS_MAX} of one author in one fetch`, () => {
      for (const [events, head] of [
        [FETCH_EVENTS_MAX - 1, 10],
        [FETCH_EVENTS_MAX, 0],
      ] as const) {
        const author = authorOf(events)
        const id = at.fetch(5_000, { author, authorSeq: 9_000 })?.id ?? -1
        for (let count = 0; count < events; count++)
          at.antiEntropy.signed(PEER, id, author, { authorSeq: 11 + count, at: 5_000 })
        // Only this one is as old as what honest nodes prune.
        at.antiEntropy.signed(PEER, id, author, { authorSeq: 8_000, at: 0 })
        at.antiEntropy.gone(PEER, id, [range(1, 10, author)], 5_000)
        assert.equal(at.pruned.vector(5_000).get(author) ?? 0, head)
        at.supplied(id, 5_000, 1)
      }
    })
  })
})
