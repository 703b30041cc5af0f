import assert from 'node:assert/strict'
import type { Event, EventOf, NodeId } from '../../src/events/index.ts'
import { QUARANTINE_EVERY_MS, QUARANTINES_MAX } from '../../src/network/misconduct.ts'
import { Offences } from '../../src/network/offences.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const PEER = peerOf(1)
const EVIDENCE = { author: peerOf(2), authorSeq: 3, lamport: 4 }

describe('offences', () => {
  let time: VirtualTime
  let offences: Offences
  let appended: EventOf<'event.quarantined'>[]
  let dropped: string[]
  beforeEach(() => {
    time = new VirtualTime(0)
    appended = []
    dropped = []
    offences = new Offences({
      ...{ now: () => time.now(), timers: time },
      append: (event: Event) => void (event.kind === 'event.quarantined' && appended.push(event)),
      drop: (peer, why) => void dropped.push(`${peer === PEER ? 'peer' : 'other'} ${why}`),
    })
  })
  const counts = () => appended.splice(0).map(({ reason, count }) => `${count} ${reason}`)

  it('are counted, each, and told in the log at once, with the evidence', () => {
    offences.charge(PEER, 'clock-jump', EVIDENCE)
    offences.charge(PEER, 'malformed')
    offences.charge(PEER, 'malformed')
    assert.equal(offences.count, 3)
    const entry = { kind: 'event.quarantined', sender: PEER, count: 1 } as const
    assert.deepEqual(appended, [
      { ...entry, reason: 'clock-jump', ...EVIDENCE },
      { ...entry, reason: 'malformed', author: null, authorSeq: 0, lamport: 0 },
    ])
  })

  it('cost the link when there are enough of them, and let the peer in again later', async () => {
    offences.charge(PEER, 'bad-signature')
    offences.charge(PEER, 'bad-signature')
    assert.deepEqual([dropped, offences.refuses(peerOf(3))], [[], false])
    offences.charge(PEER, 'bad-signature')
    assert.deepEqual([dropped, offences.refuses(PEER)], [['peer malformed'], true])
    await time.advance(51_999)
    assert.equal(offences.refuses(PEER), true)
    await time.advance(1_000)
    assert.equal(offences.refuses(PEER), false)
  })

  it('say why the link went: for a flood, or for what was malformed', () => {
    for (let count = 0; count < 5; count++) offences.charge(PEER, 'flood')
    offences.charge(peerOf(3), 'equivocation', EVIDENCE)
    assert.deepEqual(dropped, ['peer flood', 'other malformed'])
  })

  it('are told together after a minute, from the start on, and not where there were none', async () => {
    offences.start()
    for (let count = 0; count < 5; count++) offences.charge(PEER, 'clock-jump')
    assert.deepEqual(counts(), ['1 clock-jump'])
    await time.advance(QUARANTINE_EVERY_MS - 1)
    assert.deepEqual(counts(), [])
    await time.advance(1)
    assert.deepEqual(counts(), ['4 clock-jump'])
    await time.advance(QUARANTINE_EVERY_MS)
    assert.deepEqual(counts(), [])
    offences.charge(PEER, 'clock-jump')
    assert.deepEqual(counts(), ['1 clock-jump'], 'a new minute')
  })

  it('are told when that is asked for, as before the node stops', () => {
    for (let count = 0; count < 3; count++) offences.charge(PEER, 'clock-jump')
    offences.tell()
    offences.tell()
    assert.deepEqual(counts(), ['1 clock-jump', '2 clock-jump'])
  })

  it('that the log did not take are counted into the next entry', () => {
    offences.charge(PEER, 'clock-jump')
    offences.charge(PEER, 'clock-jump')
    const [first] = appended.splice(0)
    assert.ok(first)
    offences.notStored(first)
    offences.tell()
    assert.deepEqual(counts(), ['2 clock-jump'])
  })

  it(`make ${QUARANTINES_MAX} entries in a minute at most, whoever has many keys`, async () => {
    offences.start()
    for (let key = 0; key <= QUARANTINES_MAX; key++) offences.charge(peerOf(100 + key), 'malformed')
    assert.equal(appended.length, QUARANTINES_MAX)
    assert.equal(offences.count, QUARANTINES_MAX + 1)
  })

  it('are told no more once the node has stopped', async () => {
    offences.start()
    offences.charge(PEER, 'clock-jump')
    offences.charge(PEER, 'clock-jump')
    offences.stop()
    await time.advance(10 * QUARANTINE_EVERY_MS)
    assert.deepEqual(counts(), ['1 clock-jump'])
  })
})
