import assert from 'node:assert/strict'
import type { Event, EventOf, NodeId, QuarantineReason } from '../../src/events/index.ts'
import { Misconduct, PEERS_MAX, QUARANTINE_EVERY_MS, QUARANTINES_MAX } from '../../src/network/misconduct.ts'
import { Offences } from '../../src/network/offences.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const PEER = peerOf(1)

describe('misconduct', () => {
  const drops: readonly [reason: QuarantineReason, offences: number][] = [
    ['malformed', 3],
    ['bad-signature', 3],
    ['equivocation', 1],
    ['flood', 5],
    ['clock-jump', 100],
  ]
  for (const [reason, offences] of drops) {
    it(`costs the link after ${offences} of ${reason} at once`, () => {
      const misconduct = new Misconduct()
      for (let count = 1; count <= offences; count++)
        assert.equal(misconduct.charge(PEER, reason, 0), count >= offences, `${count}`)
    })
  }

  it('wears off by a point a second, and the peer is let in below 50', () => {
    const misconduct = new Misconduct()
    for (let count = 0; count < 5; count++) misconduct.charge(PEER, 'flood', 0)
    assert.ok(misconduct.refuses(PEER, 50_000))
    assert.ok(!misconduct.refuses(PEER, 50_001))
    assert.ok(!misconduct.refuses(peerOf(2), 0))
    for (let count = 0; count < 100; count++) misconduct.charge(PEER, 'flood', 100_000)
    assert.ok(misconduct.refuses(PEER, 250_000), '200 points at most, however many offences')
    assert.ok(!misconduct.refuses(PEER, 250_001))
  })

  it('is remembered of 1,024 peers, the one charged longest ago is forgotten', () => {
    assert.equal(PEERS_MAX, 1_024)
    const misconduct = new Misconduct()
    const charge = (number: number) => {
      for (let count = 0; count < 3; count++) misconduct.charge(peerOf(number), 'malformed', 0)
    }
    for (let number = 1; number <= PEERS_MAX; number++) charge(number)
    charge(1)
    assert.ok(misconduct.refuses(peerOf(2), 0))
    charge(PEERS_MAX + 1)
    assert.deepEqual(
      [1, 2, 3, PEERS_MAX + 1].map((number) => misconduct.refuses(peerOf(number), 0)),
      [true, false, true, true],
    )
  })

  describe('in the log', () => {
    it('is told at once for 32 peers in an interval, and counted for the next for all others', () => {
      assert.equal(QUARANTINES_MAX, 32)
      const misconduct = new Misconduct()
      const entries = Array.from({ length: 40 }, (_, number) => misconduct.quarantine(peerOf(number), 'malformed', undefined))
      assert.deepEqual(
        entries.map((entry) => entry?.count),
        [...Array(32).fill(1), ...Array(8).fill(undefined)],
      )
      misconduct.quarantine(peerOf(1), 'malformed', undefined)
      const senders = misconduct.flush().map(({ sender, count }) => [sender, count])
      assert.deepEqual(senders, [[peerOf(1), 1]])
      assert.equal(misconduct.quarantine(peerOf(1), 'malformed', undefined)?.count, 1, 'a new interval')
    })

    it('is told with the event that was wrong', () => {
      const event = { author: peerOf(7), authorSeq: 3, lamport: 9 }
      const entry = new Misconduct().quarantine(PEER, 'bad-signature', event)
      assert.deepEqual(entry, { kind: 'event.quarantined', sender: PEER, reason: 'bad-signature', ...event, count: 1 })
    })

    it('is counted by peer and reason, and the largest counts are told, 32 of them', () => {
      const misconduct = new Misconduct()
      for (let number = 0; number < 40; number++)
        for (let count = 0; count <= number + 1; count++) misconduct.quarantine(peerOf(number), 'flood', undefined)
      assert.deepEqual(
        misconduct.flush().map(({ count }) => count),
        Array.from({ length: 32 }, (_, index) => 40 - index),
      )
      assert.deepEqual(misconduct.flush(), [])
    })

    it('is counted for 1,024 peers and reasons', () => {
      const misconduct = new Misconduct()
      for (let number = 0; number < PEERS_MAX; number++) misconduct.quarantine(peerOf(number), 'flood', undefined)
      for (let count = 0; count < 5; count++) misconduct.quarantine(peerOf(PEERS_MAX), 'flood', undefined)
      misconduct.quarantine(peerOf(0), 'flood', undefined)
      assert.deepEqual(
        misconduct.flush().map(({ sender }) => sender),
        [peerOf(0)],
      )
    })
  })
})

describe('offences', () => {
  const told = (log: { takes: boolean }) => {
    const time = new VirtualTime(0)
    const stored: EventOf<'event.quarantined'>[] = []
    const dropped: [NodeId, string][] = []
    const offences = new Offences({
      ...{ now: () => time.now(), timers: time },
      append(event: Event) {
        assert.ok(event.kind === 'event.quarantined')
        if (log.takes) stored.push(event)
        else offences.notStored(event)
      },
      drop: (peer, why) => dropped.push([peer, why]),
    })
    offences.start()
    return { time, offences, stored, dropped }
  }

  it('are counted into the next entry when the log did not take one', async () => {
    const log = { takes: false }
    const { time, offences, stored } = told(log)
    for (let count = 0; count < 5; count++) offences.charge(PEER, 'clock-jump')
    await time.advance(3 * QUARANTINE_EVERY_MS - 1)
    offences.charge(PEER, 'clock-jump')
    log.takes = true
    await time.advance(1)
    assert.deepEqual(
      stored.map(({ sender, count }) => [sender, count]),
      [[PEER, 6]],
    )
    await time.advance(10 * QUARANTINE_EVERY_MS)
    assert.equal(stored.length, 1)
  })

  it('are kept of no more peers than fit while the log takes none', () => {
    const log = { takes: false }
    const { offences, stored } = told(log)
    for (let number = 0; number < 2 * PEERS_MAX; number++) offences.charge(peerOf(number), 'clock-jump')
    for (let round = 0; round < 3; round++) offences.tell()
    log.takes = true
    for (let round = 0; round < 100; round++) offences.tell()
    assert.ok(stored.length <= PEERS_MAX)
  })

  it('cost the link with the reason that the peer is told', () => {
    const { offences, dropped } = told({ takes: true })
    for (let count = 0; count < 5; count++) offences.charge(PEER, 'flood')
    for (let count = 0; count < 3; count++) offences.charge(peerOf(2), 'bad-signature')
    assert.deepEqual(dropped, [
      [PEER, 'flood'],
      [peerOf(2), 'malformed'],
    ])
    assert.equal(offences.count, 8)
    assert.ok(offences.refuses(PEER))
  })

  it('that is told in an entry which was not stored is counted with what followed', () => {
    const misconduct = new Misconduct()
    const [entry] = Array.from({ length: 3 }, () => misconduct.quarantine(PEER, 'flood', undefined))
    assert.ok(entry)
    misconduct.notStored(entry)
    assert.deepEqual(
      misconduct.flush().map(({ count }) => count),
      [3],
    )
    misconduct.notStored(entry)
    misconduct.notStored({ ...entry, count: 4 })
    assert.deepEqual(
      misconduct.flush().map(({ count }) => count),
      [5],
    )
  })
})
