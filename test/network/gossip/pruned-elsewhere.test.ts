import assert from 'node:assert/strict'
import type { SignedEvent } from '../../../src/events/index.ts'
import {
  ASK_AGAIN_MS,
  CLAIMS_MAX,
  CLAIMS_OF_PEER_MAX,
  PASSED_OVER_MS,
  PrunedElsewhere,
  type PrunedElsewhereOptions,
} from '../../../src/network/gossip/pruned-elsewhere.ts'
import { authorOf, DOOR_RETENTION_MS, Door, eventOf, peerOf, SELF, sent } from './gossip-at-the-door.ts'

const [NEAR, FAR] = [peerOf(1), peerOf(2)]
const AUTHOR = authorOf(1)

describe('claims of what was pruned', () => {
  const RETENTION_MS = 100
  /** All that is held of every author is its events up to `head`, and those of `apart`. */
  const claimsWith = (more: Partial<PrunedElsewhereOptions> & { head?: number; apart?: readonly number[] } = {}) => {
    const { head = 0, apart = [], ...options } = more
    const held = {
      has: ({ authorSeq }: { authorSeq: number }) => authorSeq <= head || apart.includes(authorSeq),
      versionVector: () => new Map(head > 0 ? [[AUTHOR, head]] : []),
    }
    return new PrunedElsewhere({ self: SELF, held, retentionMs: RETENTION_MS, isRecovering: () => false, ...options })
  }
  const range = (from: number, to: number, author = AUTHOR) => ({ author, from, to })
  const OLD = { authorSeq: 100, at: 0 }

  it('leave the parts of a range that the peer did not speak of, in whatever order it said them', () => {
    for (const said of [
      [range(2, 3), range(7, 8)],
      [range(7, 8), range(2, 3)],
    ]) {
      const claims = claimsWith()
      for (const each of said) assert.equal(claims.claim(NEAR, each, [], 0), true)
      const left = (from: number, to: number, peer = NEAR) => [...claims.notSaidBy(peer, range(from, to))]
      assert.deepEqual(left(1, 10), [range(1, 1), range(4, 6), range(9, 10)])
      assert.deepEqual(left(2, 8), [range(4, 6)])
      assert.deepEqual([left(2, 3), left(3, 3), left(4, 6), left(9, 9)], [[], [], [range(4, 6)], [range(9, 9)]])
      assert.deepEqual(left(8, 9), [range(9, 9)])
      assert.deepEqual(left(1, 10, FAR), [range(1, 10)], 'of another peer')
      assert.deepEqual([...claims.notSaidBy(NEAR, range(1, 10, authorOf(2)))], [range(1, 10, authorOf(2))])
    }
  })

  it('leave what lies beside ranges that overlap', () => {
    const claims = claimsWith()
    for (const each of [range(2, 6), range(4, 8), range(5, 5)]) claims.claim(NEAR, each, [], 0)
    assert.deepEqual([...claims.notSaidBy(NEAR, range(1, 10))], [range(1, 1), range(9, 10)])
  })

  it('are news once: not where the peer said as much or more before', () => {
    const claims = claimsWith()
    assert.deepEqual(
      [range(3, 5), range(3, 5), range(4, 4), range(2, 5), range(3, 6)].map((each) => claims.claim(NEAR, each, [], 0)),
      [true, false, false, true, true],
    )
    assert.equal(claims.claim(FAR, range(3, 5), [], 0), true, 'another peer')
    assert.equal(claims.claim(NEAR, range(3, 5, authorOf(2)), [], 0), true, 'another author')
    assert.equal(claims.size, 5)
  })

  it('count below an event that is as old as what is pruned, wherever it comes to hand', () => {
    for (const [at, head] of [
      [1_000 - RETENTION_MS, 8],
      [1_001 - RETENTION_MS, 0],
    ] as const) {
      const before = claimsWith({ apart: [8] })
      before.claim(NEAR, range(1, 7), [{ authorSeq: 8, at }], 0)
      const after = claimsWith({ apart: [8] })
      after.claim(NEAR, range(1, 7), [], 0)
      after.signed(AUTHOR, 8, at)
      for (const claims of [before, after]) assert.equal(claims.vector(1_000).get(AUTHOR) ?? 0, head)
    }
  })

  it('are proven by the oldest of the events above, and by none in the range or below', () => {
    const claims = claimsWith()
    claims.claim(NEAR, range(4, 7), [], 0)
    claims.claim(NEAR, range(1, 3), [OLD], 0)
    for (const authorSeq of [1, 6, 7]) claims.signed(AUTHOR, authorSeq, 0)
    claims.signed(authorOf(2), 8, 0)
    assert.equal(claims.vector(1_000).get(AUTHOR), 3)
    claims.signed(AUTHOR, 9, 0)
    claims.signed(AUTHOR, 8, 5_000)
    assert.equal(claims.vector(1_000).get(AUTHOR), 7)
  })

  it('are followed through what is held, one range after the other, as far as nothing is missing', () => {
    const claims = claimsWith({ head: 2, apart: [5, 6, 10] })
    for (const each of [range(7, 8), range(3, 4)]) claims.claim(NEAR, each, [OLD], 0)
    assert.equal(claims.vector(1_000).get(AUTHOR), 8, 'the ninth is missing')
    claims.claim(FAR, range(9, 9), [OLD], 0)
    assert.equal(claims.vector(1_000).get(AUTHOR), 10)
  })

  it('leave the vector of the log as it is', () => {
    const log = new Map([[AUTHOR, 2]])
    const claims = claimsWith({ held: { has: ({ authorSeq }) => authorSeq <= 2, versionVector: () => log } })
    assert.equal(claims.vector(0), log)
    claims.claim(NEAR, range(3, 4), [OLD], 0)
    assert.deepEqual([claims.vector(1_000).get(AUTHOR), log.get(AUTHOR)], [4, 2])
    claims.claim(NEAR, range(1, 1), [OLD], 0)
    claims.claim(NEAR, range(9, 9, authorOf(2)), [], 0)
    assert.equal(claims.vector(1_000).get(authorOf(2)), undefined)
  })

  it('count of our own events only while they are taken back after a backup was restored', () => {
    for (const [isRecovering, head] of [
      [true, 4],
      [false, 0],
    ] as const) {
      const claims = claimsWith({ isRecovering: () => isRecovering })
      claims.claim(NEAR, range(1, 4, SELF), [OLD], 0)
      assert.equal(claims.vector(1_000).get(SELF) ?? 0, head)
    }
  })

  it('are forgotten after ten minutes, and those that count after an hour', () => {
    const claims = claimsWith()
    claims.claim(NEAR, range(1, 4), [OLD], 0)
    claims.claim(NEAR, range(6, 7), [], 0)
    const at = (now: number) => [claims.vector(now).get(AUTHOR) ?? 0, claims.size]
    assert.deepEqual([ASK_AGAIN_MS - 1, ASK_AGAIN_MS, PASSED_OVER_MS - 1, PASSED_OVER_MS].map(at), [
      [4, 2],
      [4, 1],
      [4, 1],
      [0, 0],
    ])
    assert.equal(claims.claim(NEAR, range(1, 4), [], PASSED_OVER_MS), true, 'news again')
    claims.claim(NEAR, range(9, 10), [OLD], PASSED_OVER_MS)
    assert.equal(claims.vector(PASSED_OVER_MS).get(AUTHOR), undefined, 'what was passed over is missing again')
  })

  it('are 4,096 at most, and 1,024 of one peer; the oldest give way', () => {
    assert.deepEqual([CLAIMS_MAX, CLAIMS_OF_PEER_MAX], [4_096, 1_024])
    const held = { has: () => false, versionVector: () => new Map() }
    const claims = new PrunedElsewhere({ self: AUTHOR, held, retentionMs: 1, isRecovering: () => false })
    const claim = (peer: number, number: number) => {
      const range = { author: authorOf(number), from: 1, to: 2 }
      return claims.claim(peerOf(peer), range, [{ authorSeq: 3, at: 0 }], 10)
    }
    const counts = (number: number) => claims.vector(20).get(authorOf(number)) === 2
    for (let number = 2; number < 2 + CLAIMS_OF_PEER_MAX; number++) claim(1, number)
    assert.deepEqual([counts(2), claims.size], [true, CLAIMS_OF_PEER_MAX])
    assert.equal(claim(1, 5), false, 'said before')
    claim(1, 9_999)
    assert.deepEqual([counts(2), counts(3), counts(9_999), claims.size], [false, true, true, CLAIMS_OF_PEER_MAX])
    for (const peer of [2, 3, 4])
      for (let number = 0; number < CLAIMS_OF_PEER_MAX; number++) claim(peer, 10_000 * peer + number)
    assert.deepEqual([counts(3), claims.size], [true, CLAIMS_MAX])
    claim(5, 60_000)
    assert.deepEqual([counts(3), counts(60_000), claims.size], [false, true, CLAIMS_MAX])
  })
})

describe('what a peer says it has pruned', () => {
  const [OLD, MAX] = [1_000, Number.MAX_SAFE_INTEGER]
  /** What this door asks a peer for that says it has the author's events up to one. */
  const asked = (door: Door, peer: typeof NEAR, authorSeq = 9, author = AUTHOR) =>
    sent(door.heads(peer, { author, authorSeq }), 'fetch')[0]?.message
  const says = (
    door: Door,
    peer: typeof NEAR,
    gone: [from: number, to: number],
    events: SignedEvent[] = [],
    author = AUTHOR,
  ) => {
    const fetch = asked(door, peer, 9, author)
    assert.ok(fetch)
    const [from, to] = gone
    return door.hears(peer, { type: 'supply', id: fetch.id, events, last: true, gone: [{ author, from, to }] })
  }
  /** The head of this author that the door tells a peer which has nothing. */
  const headOf = (door: Door, author = AUTHOR): number => {
    const effects = door.hears(FAR, { type: 'vector', buckets: new Uint8Array(8).fill(255), heads: [], reply: false })
    return sent(effects, 'vector')[0]?.message.heads.find((head) => head.author === author)?.authorSeq ?? 0
  }
  const doorOf = (options = {}) => {
    const door = new Door(options)
    door.link(NEAR, FAR)
    return door
  }

  it('counts below an event of the author that came with it, if that is older than the retention', () => {
    const door = doorOf()
    const above = [8, 9].map((seq) => eventOf(AUTHOR, seq, { at: door.now - DOOR_RETENTION_MS }))
    says(door, NEAR, [1, 7], above)
    door.apart.set(AUTHOR, new Set([8, 9]))
    assert.equal(headOf(door), 9)
  })

  it('counts for nothing below one that is younger, until that is as old', () => {
    const door = doorOf()
    says(door, NEAR, [1, 7], [eventOf(AUTHOR, 8, { at: door.now - DOOR_RETENTION_MS + 1 })])
    door.apart.set(AUTHOR, new Set([8]))
    assert.equal(headOf(door), 0)
    door.now++
    assert.equal(headOf(door), 8)
  })

  it('counts for nothing above all that the author is known to have signed, whoever says it and however often', () => {
    const door = doorOf()
    door.held.set(AUTHOR, 2)
    for (const peer of [NEAR, FAR]) {
      says(door, peer, [3, MAX])
      says(door, peer, [3, MAX], [eventOf(AUTHOR, 1, { at: OLD })], authorOf(2))
    }
    assert.equal(headOf(door), 2)
    assert.equal(headOf(door, authorOf(2)), 0)
  })

  it('is shown by an event that was held before, which is asked for again, only if its author signed what came', () => {
    for (const [forged, head] of [
      [true, 0],
      [false, 5],
    ] as const) {
      const door = doorOf()
      door.apart.set(AUTHOR, new Set([4, 5]))
      assert.deepEqual(asked(door, NEAR)?.ranges, [
        { author: AUTHOR, from: 1, to: 4 },
        { author: AUTHOR, from: 6, to: 9 },
      ])
      door.feed({ type: 'link-down', peer: NEAR })
      door.link(NEAR)
      says(door, NEAR, [1, 3], [eventOf(AUTHOR, 4, { at: OLD, forged })])
      assert.equal(headOf(door), head)
    }
  })

  it('never counts of our own events, unless they are taken back after a backup was restored', () => {
    for (const [isRecovering, head] of [
      [false, 0],
      [true, 8],
    ] as const) {
      const door = doorOf({ isRecovering: () => isRecovering })
      says(door, NEAR, [1, 7], [eventOf(SELF, 8, { at: OLD })], SELF)
      door.apart.set(SELF, new Set([8]))
      assert.equal(headOf(door, SELF), head)
    }
  })

  it('is asked of others at once, of the same peer again in ten minutes, and of all after an hour', () => {
    const door = doorOf()
    says(door, NEAR, [1, 8])
    assert.deepEqual(asked(door, FAR)?.ranges, [{ author: AUTHOR, from: 1, to: 9 }])
    door.feed({ type: 'link-down', peer: FAR })
    assert.deepEqual(asked(door, NEAR)?.ranges, [{ author: AUTHOR, from: 9, to: 9 }])
    door.feed({ type: 'link-down', peer: NEAR })
    door.link(NEAR)
    door.now += ASK_AGAIN_MS
    assert.deepEqual(asked(door, NEAR)?.ranges, [{ author: AUTHOR, from: 1, to: 9 }])

    const sure = doorOf()
    says(sure, NEAR, [1, 7], [eventOf(AUTHOR, 8, { at: OLD })])
    sure.apart.set(AUTHOR, new Set([8]))
    sure.now += PASSED_OVER_MS - 1
    assert.equal(headOf(sure), 8)
    sure.now++
    assert.equal(headOf(sure), 0)
    assert.deepEqual(asked(sure, FAR)?.ranges, [
      { author: AUTHOR, from: 1, to: 8 },
      { author: AUTHOR, from: 9, to: 9 },
    ])
  })

  it('counts for nothing where it was not asked for', () => {
    const door = doorOf()
    const id = asked(door, NEAR)?.id ?? 0
    const signed = [eventOf(AUTHOR, 8, { at: OLD }), eventOf(authorOf(2), 8, { at: OLD })]
    const gone = (more: { id: number; author: typeof AUTHOR; from: number }) =>
      door.hears(NEAR, {
        ...{ type: 'supply', id: more.id, events: signed, last: true },
        gone: [{ author: more.author, from: more.from, to: 7 }],
      })
    gone({ id: id + 1, author: AUTHOR, from: 1 })
    gone({ id, author: authorOf(2), from: 1 })
    for (const author of [AUTHOR, authorOf(2)]) door.apart.set(author, new Set([8]))
    assert.deepEqual([headOf(door), headOf(door, authorOf(2))], [0, 0])
  })
})
