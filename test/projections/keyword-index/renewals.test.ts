import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CLIENT_LIMITS } from '../../../src/events/rules/budget-limits.ts'
import {
  AHEAD_MS,
  AUTHORS_MAX,
  OFFER_COUNTS_MS,
  presenceOf,
  RENEWAL_MS,
  Renewals,
} from '../../../src/projections/keyword-index/renewals.ts'
import { node } from '../envelopes.ts'

const HOUR = 3_600_000
/** Some day. */
const NOW = 1_800_000_000_000

describe('renewals of offers', () => {
  const [a, b, c] = [node('a'), node('b'), node('c')]
  const held = (renewals: Renewals) => [...renewals.entries()].sort(([one], [other]) => (one < other ? -1 : 1))

  it('are the last of each author by its own count, whatever came first', () => {
    const renewals = new Renewals()
    assert.deepEqual(renewals.add(a, { authorSeq: 5, at: 50 }), [a])
    assert.deepEqual(renewals.add(a, { authorSeq: 3, at: 90 }), [])
    assert.deepEqual(renewals.add(a, { authorSeq: 5, at: 70 }), [])
    assert.deepEqual(renewals.get(a), { authorSeq: 5, at: 50 })
    assert.deepEqual(renewals.add(b, { authorSeq: 1, at: 10 }), [b])
    // A clock that was set back: what it says now counts.
    assert.deepEqual(renewals.add(a, { authorSeq: 6, at: 20 }), [a])
    assert.deepEqual(renewals.get(a), { authorSeq: 6, at: 20 })
    assert.equal(renewals.get(c), undefined)
    assert.deepEqual([renewals.delete(b), renewals.delete(b), renewals.size], [true, false, 1])
  })

  it('are of so many authors, and one more makes that give way which was silent for longest', () => {
    const renewals = new Renewals(2)
    renewals.add(a, { authorSeq: 1, at: 20 })
    renewals.add(b, { authorSeq: 1, at: 10 })
    assert.deepEqual(renewals.add(c, { authorSeq: 1, at: 30 }), [c, b])
    assert.deepEqual(new Set(held(renewals).map(([author]) => author)), new Set([a, c]))
    assert.deepEqual(renewals.add(b, { authorSeq: 2, at: 5 }), [])
    assert.equal(renewals.size, 2)
    assert.deepEqual(renewals.add(a, { authorSeq: 2, at: 40 }), [a])
  })

  it('that are level give way by their ids, so that all nodes keep the same', () => {
    const [first, second, third] = [a, b, c].sort()
    assert.ok(first && second && third)
    for (const order of [
      [first, second, third],
      [third, second, first],
    ]) {
      const renewals = new Renewals(2)
      for (const author of order) renewals.add(author, { authorSeq: 1, at: 7 })
      assert.deepEqual(new Set(held(renewals).map(([author]) => author)), new Set([first, second]))
    }
  })

  it('has room for all that the budget of one invitation lets in, so that its keys push nobody else out', () => {
    assert.ok(AUTHORS_MAX >= CLIENT_LIMITS.index.most.events + 100_000)
  })

  it('come to the same in every order, and twice', () => {
    const said = fc.record({
      author: fc.constantFrom(a, b, c),
      authorSeq: fc.integer({ min: 1, max: 8 }),
    })
    // The same number twice is the same event.
    const withTime = said.map((one) => ({ ...one, at: (one.authorSeq * 7 + one.author.charCodeAt(0)) % 11 }))
    const of = (events: readonly { author: typeof a; authorSeq: number; at: number }[]) => {
      const renewals = new Renewals()
      for (const { author, ...one } of events) renewals.add(author, one)
      return held(renewals)
    }
    fc.assert(
      fc.property(fc.array(withTime, { maxLength: 40, size: 'max' }), fc.infiniteStream(fc.nat()), (events, order) => {
        const keyed = events.map((event) => ({ event, key: order.next().value as number }))
        const shuffled = keyed.sort((one, other) => one.key - other.key).map(({ event }) => event)
        assert.deepEqual(of(shuffled), of(events))
        assert.deepEqual(of([...events, ...shuffled]), of(events))
      }),
    )
  })
})

describe('the presence of an offer', () => {
  const counts = (offeredAt: number, renewedAt?: number, now = NOW) => presenceOf(offeredAt, renewedAt, now).counts

  it('lasts for three renewals after it was made, and not a moment longer', () => {
    assert.deepEqual([RENEWAL_MS, OFFER_COUNTS_MS], [6 * HOUR, 18 * HOUR])
    assert.equal(counts(NOW), true)
    assert.equal(counts(NOW - OFFER_COUNTS_MS + 1), true)
    assert.equal(counts(NOW - OFFER_COUNTS_MS), false)
  })

  it('lasts as long after its author renewed it, however old it is', () => {
    assert.equal(counts(0, NOW - OFFER_COUNTS_MS + 1), true)
    assert.equal(counts(0, NOW - OFFER_COUNTS_MS), false)
    // What was published since the renewal is newer than it.
    assert.equal(counts(NOW - HOUR, NOW - OFFER_COUNTS_MS), true)
    // Two renewals that were lost, or said late, change nothing.
    assert.equal(counts(0, NOW - 2 * RENEWAL_MS - 5 * HOUR), true)
  })

  it('says when its author was last heard of, and never later than now', () => {
    assert.equal(presenceOf(NOW - 9 * HOUR, undefined, NOW).lastSeenAt, NOW - 9 * HOUR)
    assert.equal(presenceOf(NOW - 99 * HOUR, NOW - 40 * HOUR, NOW).lastSeenAt, NOW - 40 * HOUR)
    assert.equal(presenceOf(NOW - 40 * HOUR, NOW - 99 * HOUR, NOW).lastSeenAt, NOW - 40 * HOUR)
    assert.equal(presenceOf(NOW + AHEAD_MS, undefined, NOW).lastSeenAt, NOW)
  })

  it('of one who stamps ahead counts for no longer than that, and not at all before', () => {
    assert.equal(counts(NOW + AHEAD_MS), true)
    assert.equal(counts(NOW + AHEAD_MS + 1), false)
    const inYears = NOW + 9_000 * HOUR
    assert.deepEqual(presenceOf(inYears, inYears, NOW), { counts: false, lastSeenAt: 0 })
    // A renewal from the future takes nothing away from an offer that was made a while ago.
    assert.deepEqual(presenceOf(NOW - HOUR, inYears, NOW), { counts: true, lastSeenAt: NOW - HOUR })
    // Said once: it is there for one span, when that time has come, and not for all the years until then.
    assert.equal(counts(inYears, inYears, inYears), true)
    assert.equal(counts(inYears, inYears, inYears + OFFER_COUNTS_MS), false)
  })
})
