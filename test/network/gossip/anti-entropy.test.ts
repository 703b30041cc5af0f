import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import type { HeldEvents } from '../../../src/network/gossip/admission.ts'
import {
  AntiEntropy,
  type AntiEntropyOptions,
  FETCH_ALONE_MS,
  FETCH_EVENTS_MAX,
  FETCHES_MAX,
  GONE_ROUNDS_MAX,
  limited,
  UNKEPT_FIRST_MS,
  UNKEPT_MAX_MS,
  VAIN_MAX,
} from '../../../src/network/gossip/anti-entropy.ts'
import { FirstHand } from '../../../src/network/gossip/first-hand.ts'
import { PrunedElsewhere } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { bucketBits, bucketOf } from '../../../src/network/gossip/vector-summary.ts'
import { WIRE_ITEMS_MAX } from '../../../src/network/wire.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, charges, Door, eventOf, peerOf, sent } from './gossip-at-the-door.ts'

const [NEAR, FAR, AUTHOR] = [peerOf(1), peerOf(2), authorOf(1)]
const author = (digit: string): NodeId => digit.repeat(64) as NodeId

function antiEntropyOf(held: HeldEvents, rules: AntiEntropyOptions['rules'] = OPEN_RULES): AntiEntropy {
  const pruned = new PrunedElsewhere({ self: author('0'), held, retentionMs: 1, isRecovering: () => false })
  const [seen, pause] = [new SeenEvents(10, 1_000), new PullPause()]
  return new AntiEntropy({ held, seen, pause, pruned, random: () => 0.5, rules, firstHand: new FirstHand({}) })
}

describe('a fetch', () => {
  it('asks for all that is missing while that is little', () => {
    const ranges = [{ author: author('a'), from: 3, to: 9 }]
    assert.deepEqual(limited(ranges), ranges)
  })

  it(`asks for ${FETCH_EVENTS_MAX} events in all, and for one more of no author's`, () => {
    const half = FETCH_EVENTS_MAX / 2
    const ranges = (last: number) => [
      { author: author('b'), from: 1, to: last },
      { author: author('a'), from: 11, to: 10 + half },
    ]
    assert.deepEqual(limited(ranges(half)), ranges(half))
    assert.deepEqual(limited(ranges(half + 1)), [...ranges(half)].reverse())
  })

  it(`asks for ${WIRE_ITEMS_MAX} ranges at most, and for one event at least of each`, () => {
    const ranges = Array.from({ length: WIRE_ITEMS_MAX + 1 }, (_, index) => ({ author: authorOf(index), from: 1, to: 1 }))
    assert.deepEqual(limited(ranges), ranges.slice(0, WIRE_ITEMS_MAX))
    const long = limited(ranges.map((range) => ({ ...range, to: 1_000 })))
    assert.deepEqual(new Set(long.map(({ to }) => to)), new Set([2, 3]))
    assert.equal(
      long.reduce((sum, { from, to }) => sum + to - from + 1, 0),
      FETCH_EVENTS_MAX,
    )
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

describe('fetches under way', () => {
  it('fetches from four peers at once, and from a fifth when one has answered', () => {
    assert.equal(FETCHES_MAX, 4)
    const door = new Door()
    const peers = Array.from({ length: FETCHES_MAX + 1 }, (_, index) => peerOf(10 + index))
    door.link(...peers)
    const fetchFrom = (index: number) =>
      sent(door.heads(peers[index] as NodeId, { author: authorOf(index), authorSeq: 5 }), 'fetch')
    const ids = Array.from({ length: FETCHES_MAX }, (_, index) => fetchFrom(index)[0]?.message.id)
    assert.ok(ids.every((id) => id !== undefined))
    assert.deepEqual(fetchFrom(FETCHES_MAX), [])
    door.hears(peers[0] as NodeId, { type: 'supply', id: ids[0] ?? 0, events: [], last: true })
    assert.equal(fetchFrom(FETCHES_MAX).length, 1)
  })

  it('asks one peer one thing at a time, and no two for the same', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    assert.equal(sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1)
    assert.deepEqual(sent(door.heads(NEAR, { author: authorOf(2), authorSeq: 5 }), 'fetch'), [])
    assert.deepEqual(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [])
    door.feed({ type: 'link-down', peer: NEAR })
    assert.equal(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1, 'its link is gone')
  })

  it('asks another at once when a fetch could not be sent', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    const [fetch] = sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch')
    assert.ok(fetch)
    const other = { ...fetch.message, id: fetch.message.id + 1 }
    door.feed({ type: 'send-failed', to: NEAR, message: other, why: 'queue-full' })
    assert.deepEqual(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [], 'that was another one')
    door.feed({ type: 'send-failed', to: NEAR, message: fetch.message, why: 'queue-full' })
    assert.equal(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1)
  })
})

describe('word of what is gone', () => {
  /** The peer answers what it is asked for with events, and with word that the first is pruned. */
  const answered = (door: Door, number: number, events: number): number => {
    const from = authorOf(number)
    const [fetch] = sent(door.heads(NEAR, { author: from, authorSeq: 9 }), 'fetch')
    assert.ok(fetch)
    const effects = door.hears(NEAR, {
      ...{ type: 'supply', id: fetch.message.id, last: true, gone: [{ author: from, from: 1, to: 1 }] },
      events: Array.from({ length: events }, (_, index) => eventOf(from, index + 2)),
    })
    door.now += 1
    return sent(effects, 'summary').length
  }

  it(`and nothing else brings a peer ${GONE_ROUNDS_MAX} further questions at once, and no more, until it brings an event`, () => {
    const door = new Door()
    door.link(NEAR)
    const asks = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => answered(door, first + index, 0)).reduce((sum, asked) => sum + asked, 0)
    assert.equal(asks(0, GONE_ROUNDS_MAX), GONE_ROUNDS_MAX)
    assert.equal(asks(100, 2), 0)
    assert.equal(answered(door, 200, 1), 1, 'there may be more where that came from')
    assert.equal(asks(300, GONE_ROUNDS_MAX + 1), GONE_ROUNDS_MAX)
  })

  it('brings no further question where it is no news', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    const says = (from: typeof NEAR) => {
      const [fetch] = sent(door.heads(from, { author: AUTHOR, authorSeq: 9 }), 'fetch')
      const gone = [{ author: AUTHOR, from: 20, to: 30 }]
      return door.hears(from, { type: 'supply', id: fetch?.message.id ?? -1, events: [], last: true, gone })
    }
    assert.deepEqual(sent(says(NEAR), 'summary'), [], 'of what it was not asked for')
  })
})

describe('events that a peer promises and does not bring', () => {
  const fetches = (door: Door, peer: typeof NEAR, author = AUTHOR) =>
    sent(door.heads(peer, { author, authorSeq: Number.MAX_SAFE_INTEGER }), 'fetch')
  const empty = (door: Door, peer: typeof NEAR) => {
    const [fetch] = fetches(door, peer)
    assert.ok(fetch)
    return door.hears(peer, { type: 'supply', id: fetch.message.id, events: [], last: true })
  }

  it('are asked of it ever less often, without a charge, and of another at once', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    let waitMs = UNKEPT_FIRST_MS
    for (let time = 0; time < 8; time++) {
      assert.deepEqual(charges(empty(door, NEAR)), [])
      assert.equal(fetches(door, NEAR).length, 0)
      door.now += waitMs - 1
      assert.equal(fetches(door, NEAR).length, 0)
      door.now++
      waitMs = Math.min(UNKEPT_MAX_MS, 2 * waitMs)
    }
    assert.equal(fetches(door, FAR).length, 1)
  })

  it('keep nobody from being heard by another for longer than 700 ms', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    assert.equal(fetches(door, NEAR).length, 1)
    door.now += FETCH_ALONE_MS - 1
    assert.equal(fetches(door, FAR).length, 0)
    door.now++
    assert.equal(fetches(door, FAR).length, 1)
  })

  it('cost their peers the half of all places', () => {
    const door = new Door()
    const peers = Array.from({ length: FETCHES_MAX }, (_, index) => peerOf(10 + index))
    door.link(...peers, FAR)
    for (const peer of peers) {
      empty(door, peer)
      door.now += UNKEPT_FIRST_MS
    }
    const underWay = peers.filter((peer, index) => fetches(door, peer, authorOf(index + 2)).length > 0)
    assert.equal(underWay.length, FETCHES_MAX / 2)
    assert.equal(fetches(door, FAR, authorOf(20)).length, 1)
  })
})
