import assert from 'node:assert/strict'
import type { Event, InfoHash, SignedEvent } from '../../../src/events/index.ts'
import {
  FETCH_ALONE_MS,
  FETCHES_MAX,
  GONE_ROUNDS_MAX,
  UNKEPT_FIRST_MS,
  UNKEPT_MAX_MS,
} from '../../../src/network/gossip/anti-entropy.ts'
import { HOLD_BACK_COUNT_MAX, HOLD_BACK_MS } from '../../../src/network/gossip/intake.ts'
import { ASK_AGAIN_MS, PASSED_OVER_MS } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { AUTHOR_EVENTS_BURST, AUTHORS_MAX } from '../../../src/network/gossip/spread-rates.ts'
import { OPEN_RULES } from '../open-rules.ts'
import {
  authorOf,
  charged,
  charges,
  DOOR_LAMPORT_MAX,
  DOOR_RETENTION_MS,
  Door,
  eventOf,
  peerOf,
  pushedTo,
  SELF,
  sent,
} from './gossip-at-the-door.ts'

const [NEAR, FAR, THIRD] = [peerOf(1), peerOf(2), peerOf(3)]
const AUTHOR = authorOf(1)

describe('what gossip refuses', () => {
  let door: Door
  beforeEach(() => {
    door = new Door()
    door.link(NEAR, FAR)
  })

  const ingested = (): readonly SignedEvent[] => {
    door.now += HOLD_BACK_MS
    return door.due('release').flatMap((effect) => (effect.do === 'ingest' ? effect.events : []))
  }

  it('is charged to whoever sent it, not passed on and not stored', () => {
    const refused: [SignedEvent, string][] = [
      [{ body: Uint8Array.of(1, 2, 3), signature: new Uint8Array(64).fill(1) }, 'malformed'],
      [eventOf(AUTHOR, 1, { event: { kind: 'node.stopped', reason: 'x' }, stream: 'local' }), 'malformed'],
      [eventOf(AUTHOR, 1, { stream: 'index' }), 'malformed'],
      [eventOf(AUTHOR, 1, { forged: true }), 'bad-signature'],
      [
        eventOf(AUTHOR, 1, {
          event: {
            kind: 'member.left',
            subject: AUTHOR,
            incarnation: 1,
            role: 'index',
            host: 'a.example',
            port: 1,
            dhtPort: 0,
          },
        }),
        'malformed',
      ],
    ]
    for (const [event, reason] of refused) {
      const effects = door.push(NEAR, event)
      assert.deepEqual(charged(effects), [reason])
      assert.equal(pushedTo(effects, FAR), 0)
    }
    assert.deepEqual(ingested(), [])
    assert.equal(door.gossip.counts.rejected, refused.length)
    assert.equal(door.checked, 1, 'the signature is checked last')
  })

  it('takes the highest stamp of the envelope; one past it is held against its author, not against who relays it', () => {
    assert.deepEqual(charges(door.push(NEAR, eventOf(AUTHOR, 1, { lamport: DOOR_LAMPORT_MAX }))), [])
    const [charge, ...more] = charges(door.push(NEAR, eventOf(AUTHOR, 2, { lamport: DOOR_LAMPORT_MAX + 1 })))
    assert.deepEqual([charge?.peer, charge?.reason, more.length], [AUTHOR, 'clock-jump', 0])
    assert.equal(ingested().length, 1)
  })

  it('holds no stamp against an author who did not sign it, and keeps no room for a forged event', () => {
    const forged = eventOf(AUTHOR, 1, { lamport: DOOR_LAMPORT_MAX + 1, forged: true })
    assert.deepEqual(charged(door.push(NEAR, forged)), ['bad-signature'])
    const sound = door.push(NEAR, eventOf(AUTHOR, 1))
    assert.equal(pushedTo(sound, FAR), 1, 'the sound event of this number is news')
    assert.equal(ingested().length, 1)
  })

  it('is held against its author where it is another one under a number that was used a moment ago', () => {
    const event: Event = { kind: 'torrent.withdrawn', infoHash: '2'.repeat(40) as InfoHash, title: 'y' }
    assert.deepEqual(charges(door.push(NEAR, eventOf(AUTHOR, 1))), [])
    assert.deepEqual(charges(door.push(THIRD, eventOf(AUTHOR, 1))), [], 'a copy')
    const [charge, ...more] = charges(door.push(THIRD, eventOf(AUTHOR, 1, { event })))
    assert.deepEqual([charge?.peer, charge?.reason, more.length], [AUTHOR, 'equivocation', 0])
    const [forger] = charges(door.push(THIRD, eventOf(AUTHOR, 1, { event, forged: true })))
    assert.deepEqual([forger?.peer, forger?.reason], [THIRD, 'bad-signature'])
    assert.equal(ingested().length, 1)
  })

  it('is dropped without a charge where its author is not admitted, or not yet known to be', () => {
    for (const ruling of ['defer', 'refuse', 'over-budget'] as const) {
      door = new Door({ rules: { ...OPEN_RULES, judge: () => ruling } })
      door.link(NEAR, FAR)
      const effects = door.push(NEAR, eventOf(AUTHOR, 1))
      assert.deepEqual([charged(effects), pushedTo(effects, FAR), ingested().length], [[], 0, 0], ruling)
    }
  })

  it('is dropped unchecked where nothing more is taken of its author', () => {
    door = new Door({ rules: { ...OPEN_RULES, isShut: (author, stream) => author === AUTHOR && stream === 'gossip' } })
    door.link(NEAR, FAR)
    const effects = door.push(NEAR, eventOf(AUTHOR, 1))
    assert.deepEqual([charged(effects), pushedTo(effects, FAR), ingested().length, door.checked], [[], 0, 0, 0])
  })

  it('checks the signature of an event once, however often it arrives', () => {
    for (const from of [NEAR, FAR, NEAR]) door.push(from, eventOf(AUTHOR, 1))
    door.held.set(AUTHOR, 5)
    door.push(FAR, eventOf(AUTHOR, 5))
    assert.equal(door.checked, 1)
    assert.deepEqual([door.gossip.counts.eventsIn, door.gossip.counts.duplicates], [1, 3])
  })

  it('answers nobody who is no neighbour', () => {
    const stranger = peerOf(9)
    const range = { author: AUTHOR, from: 1, to: 2 }
    door.held.set(AUTHOR, 2)
    assert.deepEqual(door.hears(stranger, { type: 'fetch', id: 1, ranges: [range] }), [])
    assert.deepEqual(door.hears(stranger, { type: 'graft', names: [{ author: AUTHOR, authorSeq: 1, hops: 0 }] }), [])
    assert.deepEqual(door.heads(stranger, { author: AUTHOR, authorSeq: 9 }), [])
    assert.deepEqual(door.hears(stranger, { type: 'summary', salt: 1, buckets: new Uint8Array(384) }), [])
    assert.equal(door.hears(NEAR, { type: 'fetch', id: 1, ranges: [range] }).length, 1)
  })
})

describe('the rate of an author', () => {
  const pushes = (door: Door, from: number, count: number, more = {}, author = AUTHOR): number => {
    let pushed = 0
    for (let seq = from; seq < from + count; seq++) {
      pushed += pushedTo(door.push(NEAR, eventOf(author, seq, more)), FAR)
      pushed += pushedTo(door.due('push'), FAR)
    }
    return pushed
  }

  it('keeps what is over it from the tree, not from the log; verdicts and supplies have room of their own', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    assert.equal(pushes(door, 1, AUTHOR_EVENTS_BURST + 1, { lamport: 1 }), AUTHOR_EVENTS_BURST)
    assert.equal(door.gossip.counts.throttled, 1)
    const left = { kind: 'member.left', subject: AUTHOR, incarnation: 1, role: 'index', host: '10.0.0.1', port: 1, dhtPort: 0 }
    assert.equal(pushes(door, 3_000, 1, { lamport: 1, event: left }), 1, 'a verdict')
    assert.equal(pushes(door, 1, 1, {}, authorOf(2)), 1, 'another author')
    door.hears(NEAR, { type: 'supply', id: 9, events: [eventOf(AUTHOR, 3_001, { lamport: 1 })], last: true })
    assert.equal(sent(door.due('flush'), 'have').length, 1, 'a supply is named')
    door.now += 5
    assert.equal(pushes(door, 4_000, 2, { lamport: 1 }), 1, '200 a second')
    door.now += HOLD_BACK_MS
    const stored = door.due('release').flatMap((effect) => (effect.do === 'ingest' ? effect.events : []))
    assert.equal(stored.length, AUTHOR_EVENTS_BURST + 1 + 3 + 2)
  })

  it('is not used up by somebody who forges events of theirs', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    pushes(door, 1, AUTHOR_EVENTS_BURST, { lamport: 1, forged: true })
    assert.equal(pushes(door, 1, AUTHOR_EVENTS_BURST, { lamport: 1 }), AUTHOR_EVENTS_BURST)
  })

  it('is remembered of 8,192 authors, the oldest is forgotten', () => {
    assert.equal(AUTHORS_MAX, 8_192)
    for (const [others, pushed] of [
      [AUTHORS_MAX - 1, 0],
      [AUTHORS_MAX, 1],
    ] as const) {
      const door = new Door()
      door.link(NEAR, FAR)
      pushes(door, 1, AUTHOR_EVENTS_BURST, { lamport: 1 })
      for (let other = 0; other < others; other++) door.push(THIRD, eventOf(authorOf(2 + other), 1))
      door.due('push')
      assert.equal(pushes(door, 3_000, 1, { lamport: 1 }), pushed)
    }
  }).timeout(20_000)
})

describe('events held back', () => {
  it('go to the log at once when there are too many', () => {
    const door = new Door()
    door.link(NEAR)
    const releasesIn = (seq: number) =>
      door
        .push(NEAR, eventOf(AUTHOR, seq, { lamport: 1 }))
        .flatMap((effect) => (effect.do === 'wake' && effect.timer.name === 'release' ? [effect.afterMs] : []))
    assert.deepEqual(releasesIn(1), [HOLD_BACK_MS])
    for (let seq = 2; seq <= HOLD_BACK_COUNT_MAX; seq++) assert.deepEqual(releasesIn(seq), [])
    assert.deepEqual(releasesIn(HOLD_BACK_COUNT_MAX + 1), [0])
    const [ingest] = door.due('release')
    assert.ok(ingest?.do === 'ingest')
    assert.deepEqual([ingest.events.length, door.gossip.heldBack], [1, HOLD_BACK_COUNT_MAX])
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

  it('and nothing else brings a peer eight further questions at once, and no more', () => {
    const door = doorOf()
    let asks = 0
    for (let number = 0; number <= GONE_ROUNDS_MAX; number++) {
      const compares = says(door, NEAR, [1, 1], [], authorOf(number))
      asks += sent(compares, 'summary').length
      door.now += 1
    }
    assert.equal(asks, GONE_ROUNDS_MAX)
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
