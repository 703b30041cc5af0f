import assert from 'node:assert/strict'
import type { Event, InfoHash, SignedEvent } from '../../../src/events/index.ts'
import { HOLD_BACK_COUNT_MAX, HOLD_BACK_MS } from '../../../src/network/gossip/intake.ts'
import { AUTHOR_EVENTS_BURST, AUTHORS_MAX } from '../../../src/network/gossip/spread-rates.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, charged, charges, DOOR_LAMPORT_MAX, Door, eventOf, peerOf, pushedTo, sent } from './gossip-at-the-door.ts'

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
