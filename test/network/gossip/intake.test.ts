import assert from 'node:assert/strict'
import type { ContentRules, Event, InfoHash, SignedEvent } from '../../../src/events/index.ts'
import { FirstHand } from '../../../src/network/gossip/first-hand.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { type GossipCounts, HOLD_BACK_COUNT_MAX, HOLD_BACK_MS, Intake } from '../../../src/network/gossip/intake.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { AUTHOR_EVENTS_BURST } from '../../../src/network/gossip/spread-rates.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, eventOf, peerOf, SELF } from './gossip-at-the-door.ts'

const [NEAR, AUTHOR] = [peerOf(1), authorOf(1)]
/** So many names are kept of what a failing log did not take. */
const UNTAKEN_MAX = 8_192
const VERDICT: Event = { kind: 'piece.judged', subject: AUTHOR, infoHash: '2'.repeat(40) as InfoHash, good: [], bad: [] }

describe('intake of events', () => {
  let seen: SeenEvents
  let pause: PullPause
  let counts: GossipCounts
  let intake: Intake
  const begin = (more: Partial<ContentRules> = {}) => {
    seen = new SeenEvents(100_000, 2 ** 30)
    pause = new PullPause()
    counts = { eventsIn: 0, eventsOut: 0, duplicates: 0, rejected: 0, throttled: 0 }
    const rules: ContentRules = { ...OPEN_RULES, lamportMax: () => 1_000_000, ...more }
    const held = { lamport: 0, has: () => false, versionVector: () => new Map() }
    const verify = (_purpose: string, _bytes: Uint8Array, signature: Uint8Array): boolean => signature[0] === 1
    intake = new Intake({ self: SELF, held, seen, pause, verify, rules, firstHand: new FirstHand(rules), counts })
  }
  beforeEach(() => begin())

  const admit = (events: readonly SignedEvent[], { now = 0, hops = 0, live = true } = {}) =>
    intake.admit(
      NEAR,
      events.map((event) => ({ event, hops })),
      live,
      now,
    )
  const numbersIn = (effects: readonly GossipEffect[]): number[][] =>
    effects.flatMap((effect) => (effect.do === 'ingest' ? [effect.events.map(({ signature }) => signature[1] ?? 0)] : []))
  const wakesIn = (effects: readonly GossipEffect[]): number[] =>
    effects.flatMap((effect) => (effect.do === 'wake' && effect.timer.name === 'release' ? [effect.afterMs] : []))
  /** An event that is known in the log by the second byte of its signature. */
  const numbered = (authorSeq: number, lamport = authorSeq): SignedEvent => {
    const event = eventOf(AUTHOR, authorSeq, { lamport })
    event.signature[1] = authorSeq
    return event
  }
  const isSeen = (authorSeq: number): boolean => seen.has(AUTHOR, authorSeq)

  it('tells what is new, one hop further, with what the tree has to know of it', () => {
    const { fresh } = admit([eventOf(AUTHOR, 1, { at: 77 }), eventOf(AUTHOR, 2, { event: VERDICT })], { hops: 3 })
    assert.deepEqual(
      fresh.map(({ author, authorSeq, hops, first, spread, at }) => ({ author, authorSeq, hops, first, spread, at })),
      [
        { author: AUTHOR, authorSeq: 1, hops: 4, first: false, spread: true, at: 77 },
        { author: AUTHOR, authorSeq: 2, hops: 4, first: true, spread: true, at: 0 },
      ],
    )
    assert.equal(seen.get(AUTHOR, 1)?.hops, 4, 'whoever grafts it is told the same')
    assert.equal(counts.eventsIn, 2)
  })

  it('keeps bytes of its own, not views into the message that brought them', () => {
    const { body, signature } = eventOf(AUTHOR, 1)
    const message = Buffer.concat([body, signature])
    const views = { body: message.subarray(0, body.length), signature: message.subarray(body.length) }
    const [fresh] = admit([views]).fresh
    message.fill(0)
    for (const kept of [fresh?.event, seen.get(AUTHOR, 1)?.event]) {
      assert.deepEqual([kept?.body, kept?.signature], [body, signature])
      assert.equal(kept?.body.buffer.byteLength, body.length)
      assert.equal(kept?.signature.buffer.byteLength, signature.length)
    }
  })

  it('tells which are here already, and what came in their place', () => {
    const [first, copy] = [eventOf(AUTHOR, 1), eventOf(AUTHOR, 1)]
    const { fresh, duplicates, copies } = admit([first, copy])
    assert.deepEqual([fresh.length, duplicates.map(({ authorSeq }) => authorSeq)], [1, [1]])
    assert.equal(copies[0], copy)
    assert.deepEqual([counts.eventsIn, counts.duplicates, counts.rejected], [1, 1, 0])
  })

  it('tells which the rules do not let in, and charges nobody for them', () => {
    begin({ judge: () => 'refuse' })
    const { fresh, ignored, effects } = admit([eventOf(AUTHOR, 1)])
    assert.deepEqual([fresh, ignored.map(({ authorSeq }) => authorSeq), effects], [[], [1], []])
    assert.deepEqual([counts.rejected, isSeen(1)], [1, false])
  })

  it('charges who sent what anybody sees is wrong, and the author for what it signed, with the evidence', () => {
    const { effects } = admit([
      { body: Uint8Array.of(1), signature: new Uint8Array(64) },
      eventOf(AUTHOR, 4, { forged: true, lamport: 9 }),
      eventOf(AUTHOR, 5, { lamport: 1_000_001 }),
    ])
    assert.deepEqual(effects, [
      { do: 'charge', peer: NEAR, reason: 'malformed' },
      { do: 'charge', peer: NEAR, reason: 'bad-signature', event: { author: AUTHOR, authorSeq: 4, lamport: 9 } },
      { do: 'charge', peer: AUTHOR, reason: 'clock-jump', event: { author: AUTHOR, authorSeq: 5, lamport: 1_000_001 } },
    ])
    assert.deepEqual([counts.rejected, counts.eventsIn, intake.heldBack, isSeen(5)], [3, 0, 0, false])
  })

  it('has what is over the rate of its author kept and not spread, if it is of the broadcast', () => {
    const events = Array.from({ length: AUTHOR_EVENTS_BURST + 1 }, (_, index) => eventOf(AUTHOR, index + 1, { lamport: 1 }))
    const { fresh } = admit(events)
    assert.deepEqual([fresh.filter(({ spread }) => spread).length, fresh.at(-1)?.spread], [AUTHOR_EVENTS_BURST, false])
    assert.deepEqual([counts.throttled, counts.eventsIn, intake.heldBack], [1, events.length, events.length])
    assert.equal(admit([eventOf(AUTHOR, 9_999, { lamport: 1 })], { live: false }).fresh[0]?.spread, true)
    assert.equal(counts.throttled, 1)
  })

  it('hands events to the log in canonical order, a moment after they came, and sets its timer once', () => {
    assert.deepEqual(wakesIn(admit([numbered(2)], { now: 0 }).effects), [HOLD_BACK_MS])
    assert.deepEqual(wakesIn(admit([numbered(1)], { now: 40 }).effects), [], 'it is set')
    assert.deepEqual(wakesIn(admit([numbered(3)], { now: 60 }).effects), [])
    assert.deepEqual(intake.releaseDue(HOLD_BACK_MS - 1), [{ do: 'wake', afterMs: 1, timer: { name: 'release' } }])
    const effects = intake.releaseDue(HOLD_BACK_MS)
    assert.deepEqual([numbersIn(effects), wakesIn(effects)], [[[1, 2]], [60]])
    assert.deepEqual(numbersIn(intake.releaseDue(160)), [[3]])
    assert.deepEqual(intake.releaseDue(200), [])
    assert.deepEqual(wakesIn(admit([numbered(4)], { now: 300 }).effects), [HOLD_BACK_MS])
  })

  it('releases at once when more are held back than may be', () => {
    const many = Array.from({ length: HOLD_BACK_COUNT_MAX }, (_, index) => eventOf(AUTHOR, index + 1, { lamport: 1 }))
    assert.deepEqual(wakesIn(admit(many, { now: 5 }).effects), [HOLD_BACK_MS])
    assert.deepEqual(wakesIn(admit([eventOf(AUTHOR, 9_999, { lamport: 1 })], { now: 6 }).effects), [0])
    assert.equal(numbersIn(intake.releaseDue(6))[0]?.length, 1)
  })

  it('holds nothing back that is released for good', () => {
    admit([numbered(2), numbered(1)])
    assert.deepEqual([numbersIn(intake.release(Number.POSITIVE_INFINITY)), intake.heldBack], [[[1, 2]], 0])
  })

  it('takes another copy at once of what the log did not take, while it is well', () => {
    admit([numbered(1), numbered(2)])
    intake.notTaken({ author: AUTHOR, authorSeq: 1 })
    assert.deepEqual([isSeen(1), isSeen(2)], [false, true])
    assert.equal(admit([numbered(1)]).fresh.length, 1)
  })

  it('hands a paused log nothing, and takes copies of that once the log is well again', () => {
    admit([numbered(1)])
    pause.failed()
    assert.deepEqual(numbersIn(intake.release(HOLD_BACK_MS)), [])
    assert.deepEqual([isSeen(1), admit([numbered(1)]).duplicates.length], [true, 1])
    pause.over()
    admit([numbered(2)], { now: HOLD_BACK_MS })
    assert.deepEqual(numbersIn(intake.release(2 * HOLD_BACK_MS)), [[2]], 'a log that is tried is handed events')
    intake.forgetUntaken()
    assert.deepEqual([isSeen(1), isSeen(2)], [false, true])
    assert.equal(admit([numbered(1)]).fresh.length, 1)
    intake.forgetUntaken()
    assert.equal(isSeen(1), true, 'that copy was handed to nobody yet')
  })

  it(`remembers ${UNTAKEN_MAX} that a failing log did not take, and takes the oldest again at once`, () => {
    pause.failed()
    for (let seq = 1; seq <= UNTAKEN_MAX + 1; seq++) {
      seen.add(AUTHOR, seq, { event: eventOf(AUTHOR, 1), hops: 1 })
      if (seq > UNTAKEN_MAX) assert.equal(isSeen(1), true)
      intake.notTaken({ author: AUTHOR, authorSeq: seq })
    }
    assert.deepEqual([isSeen(1), isSeen(2), isSeen(UNTAKEN_MAX + 1)], [false, true, true])
    intake.forgetUntaken()
    assert.deepEqual([isSeen(2), isSeen(UNTAKEN_MAX + 1)], [false, false])
  })
})
