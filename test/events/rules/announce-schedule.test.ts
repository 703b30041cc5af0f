import assert from 'node:assert/strict'
import type { InfoHash } from '../../../src/events/index.ts'
import { AnnounceSchedule } from '../../../src/events/rules/announce-schedule.ts'

const BUDGET = { underWayMax: 16, perSecond: 20, burst: 20 }
const MINUTE = 60_000
const nameOf = (index: number): InfoHash => index.toString(16).padStart(40, '0') as InfoHash

type Said = { at: number; infoHash: InfoHash }

/** Carries the schedule out on a virtual clock; a visit takes a fixed time. */
class Carrier {
  readonly schedule: AnnounceSchedule
  readonly visits: Said[] = []
  now = 0
  mostUnderWay = 0
  readonly #ends: { at: number; end: () => void }[] = []
  readonly #visitMs: number
  readonly #isWanting: (infoHash: InfoHash) => boolean
  readonly #wasHeard: (infoHash: InfoHash) => boolean

  constructor({
    visitMs = 100,
    budget = BUDGET,
    isWanting = (_: InfoHash): boolean => false,
    wasHeard = (_: InfoHash): boolean => true,
  } = {}) {
    this.schedule = new AnnounceSchedule(budget)
    this.#visitMs = visitMs
    this.#isWanting = isWanting
    this.#wasHeard = wasHeard
  }

  run(forMs: number): void {
    const until = this.now + forMs
    for (;;) {
      for (let visit = this.schedule.next(this.now); visit !== undefined; visit = this.schedule.next(this.now)) {
        const begun = visit
        const { infoHash } = begun
        this.visits.push({ at: this.now, infoHash })
        const outcome = { wasHeard: this.#wasHeard(infoHash), isWanting: this.#isWanting(infoHash) }
        this.#ends.push({
          at: this.now + this.#visitMs,
          end: () => this.schedule.ended(begun, outcome, this.now),
        })
      }
      this.mostUnderWay = Math.max(this.mostUnderWay, this.schedule.underWay)
      const wakeAt = Math.min(this.schedule.wakeAt(this.now) ?? Number.POSITIVE_INFINITY, this.#ends[0]?.at ?? until)
      if (wakeAt > until) {
        this.now = until
        return
      }
      assert.ok(wakeAt >= this.now, 'it does not go back')
      this.now = Math.max(wakeAt, this.now)
      while (this.#ends[0] !== undefined && this.#ends[0].at <= this.now) this.#ends.shift()?.end()
      if (this.now >= until) return
    }
  }

  timesOf(infoHash: InfoHash): number[] {
    return this.visits.filter((visit) => visit.infoHash === infoHash).map(({ at }) => at)
  }
}

const isRate = (visits: readonly Said[], perSecond: number, burst: number): void => {
  for (const [first, { at }] of visits.entries()) {
    const within = visits.slice(first).filter((visit) => visit.at <= at + 1_000).length
    assert.ok(within <= perSecond + burst, `${within} visits in the second from ${at}`)
  }
}

describe('the schedule of announcements', () => {
  it('visits a new torrent at once, and again soon while the DHT is young: a small swarm forms within seconds', () => {
    const carrier = new Carrier({ visitMs: 0 })
    carrier.schedule.joined(0)
    carrier.schedule.add(nameOf(1), false, 0)
    carrier.run(MINUTE)
    assert.deepEqual(carrier.timesOf(nameOf(1)).slice(0, 4), [0, 2_000, 5_000, 9_500])
  })

  it('announces a seed every ten minutes once the DHT is not young any more', () => {
    const carrier = new Carrier({ visitMs: 0 })
    carrier.schedule.joined(0)
    carrier.now = 2 * MINUTE
    carrier.schedule.add(nameOf(1), false, carrier.now)
    carrier.run(60 * MINUTE + 1)
    assert.deepEqual(
      carrier.timesOf(nameOf(1)),
      [0, 10, 20, 30, 40, 50, 60].map((minutes) => (2 + minutes) * MINUTE),
    )
  })

  it('looks a download up often, then less and less, and every five minutes at last', () => {
    const carrier = new Carrier({ visitMs: 0, isWanting: () => true })
    carrier.schedule.add(nameOf(1), true, 0)
    carrier.run(120 * MINUTE)
    const times = carrier.timesOf(nameOf(1))
    assert.deepEqual(times.slice(0, 4), [0, 2_000, 5_000, 9_500])
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
    assert.equal(Math.max(...gaps), 300_000)
    assert.equal(gaps.at(-1), 300_000)
  })

  it('keeps 5,000 seeds announced well inside the memory of nodes, within its budget', () => {
    const carrier = new Carrier({ visitMs: 300 })
    carrier.schedule.joined(0)
    for (let index = 0; index < 5_000; index++) carrier.schedule.add(nameOf(index), false, 0)
    carrier.run(60 * MINUTE)
    isRate(carrier.visits.slice(0, 2_000), BUDGET.perSecond, BUDGET.burst)
    assert.ok(carrier.mostUnderWay <= BUDGET.underWayMax)
    const last = new Map<InfoHash, number>()
    let longest = 0
    for (const { infoHash, at } of carrier.visits) {
      longest = Math.max(longest, at - (last.get(infoHash) ?? 0))
      last.set(infoHash, at)
    }
    assert.equal(last.size, 5_000)
    assert.ok(longest < 15 * MINUTE, `one was not announced for ${longest / 1000} s`)
    const calm = carrier.visits.filter(({ at }) => at > 30 * MINUTE).length / (30 * 60)
    assert.ok(calm < 9, `${calm} a second at rest`)
  })

  it('never has more under way than it may, however slow the nodes are', () => {
    const carrier = new Carrier({ visitMs: 10_000 })
    for (let index = 0; index < 100; index++) carrier.schedule.add(nameOf(index), false, 0)
    carrier.run(MINUTE)
    assert.equal(carrier.mostUnderWay, BUDGET.underWayMax)
  })

  it('takes a download that is added, or is wanted again, ahead of thousands of seeds', () => {
    const carrier = new Carrier()
    for (let index = 0; index < 5_000; index++) carrier.schedule.add(nameOf(index), false, 0)
    carrier.run(10_000)
    carrier.schedule.add(nameOf(9_999), true, carrier.now)
    carrier.schedule.urge(nameOf(4_999), carrier.now)
    carrier.run(200)
    assert.ok(carrier.timesOf(nameOf(9_999)).length > 0)
    assert.ok(carrier.timesOf(nameOf(4_999)).length > 0)
  })

  it('takes new torrents ahead of those that are announced again', () => {
    const carrier = new Carrier()
    for (let index = 0; index < 1_000; index++) carrier.schedule.add(nameOf(index), false, 0)
    carrier.run(9 * MINUTE)
    carrier.now = 10 * MINUTE + 30_000
    const before = carrier.visits.length
    carrier.schedule.add(nameOf(5_000), false, carrier.now)
    carrier.run(1)
    assert.equal(carrier.visits[before]?.infoHash, nameOf(5_000))
  })

  it('lets none starve, though more that is urgent comes than it can visit', () => {
    const carrier = new Carrier({ visitMs: 0 })
    carrier.schedule.add(nameOf(1), false, 0)
    carrier.run(1_000)
    let next = 2
    for (let second = 0; second < 15 * 60; second++) {
      for (let more = 0; more < 40; more++) {
        const infoHash = nameOf(next++)
        carrier.schedule.add(infoHash, true, carrier.now)
      }
      carrier.run(1_000)
      // Gone again, so that the table stays small; the latest stay.
      for (let old = next - 1_000; old > 1 && old > next - 1_040; old--) carrier.schedule.delete(nameOf(old))
    }
    const times = carrier.timesOf(nameOf(1))
    assert.ok((times[1] ?? Number.POSITIVE_INFINITY) <= 13 * MINUTE, `again at ${times[1]}`)
  })

  it('tries again soon where no node answered, and then less often', () => {
    const carrier = new Carrier({ visitMs: 0, wasHeard: () => false })
    carrier.schedule.add(nameOf(1), false, 0)
    carrier.run(10 * MINUTE)
    const times = carrier.timesOf(nameOf(1))
    assert.deepEqual(times.slice(0, 3), [0, 2_000, 5_000])
    assert.equal((times.at(-1) ?? 0) - (times.at(-2) ?? 0), 60_000)
  })

  it('visits all anew when the DHT is joined anew', () => {
    const carrier = new Carrier({ visitMs: 0 })
    carrier.schedule.add(nameOf(1), false, 0)
    carrier.run(MINUTE)
    carrier.schedule.joined(carrier.now)
    carrier.run(1)
    assert.deepEqual(carrier.timesOf(nameOf(1)), [0, MINUTE])
  })

  it('visits one again that was urged while it was visited', () => {
    const schedule = new AnnounceSchedule(BUDGET)
    schedule.add(nameOf(1), false, 0)
    const visit = schedule.next(0)
    assert.ok(visit)
    schedule.urge(nameOf(1), 0)
    assert.equal(schedule.next(0), undefined)
    schedule.ended(visit, { wasHeard: true, isWanting: true }, 50)
    assert.equal(schedule.wakeAt(50), 50)
    assert.equal(schedule.next(50)?.infoHash, nameOf(1))
  })

  it('takes no end of a visit for that of a torrent that was taken out and added again', () => {
    const schedule = new AnnounceSchedule(BUDGET)
    schedule.add(nameOf(1), false, 0)
    const old = schedule.next(0)
    assert.ok(old)
    schedule.delete(nameOf(1))
    schedule.add(nameOf(1), false, 10)
    schedule.ended(old, { wasHeard: true, isWanting: false }, 20)
    assert.equal(schedule.underWay, 0)
    assert.equal(schedule.next(20)?.infoHash, nameOf(1))
  })

  it('has nothing to wake for without torrents, or once all are taken out', () => {
    const schedule = new AnnounceSchedule(BUDGET)
    assert.equal(schedule.wakeAt(0), undefined)
    schedule.add(nameOf(1), false, 0)
    assert.equal(schedule.wakeAt(0), 0)
    schedule.delete(nameOf(1))
    assert.equal(schedule.wakeAt(0), undefined)
    assert.equal(schedule.next(0), undefined)
  })
})
