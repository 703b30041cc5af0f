import assert from 'node:assert/strict'
import { Allowance } from '../../../src/torrent/sources/allowance.ts'
import { TurnSchedule } from '../../../src/torrent/sources/turn-schedule.ts'

const newSchedule = () => new TurnSchedule<number>({ intervalMs: 300_000, turnsMax: 3, turnsPerMinute: 1, perTurnMax: 2 })

describe('a schedule of announcements', () => {
  it('lets a torrent go at once, and again after its interval and no sooner', () => {
    const schedule = newSchedule()
    schedule.add(1)
    assert.deepEqual(schedule.take(1_000), [1])
    assert.deepEqual(schedule.take(300_999), [])
    assert.deepEqual(schedule.take(301_000), [1])
  })

  it('does not let one go sooner that has left and come back', () => {
    const schedule = newSchedule()
    schedule.add(1)
    schedule.take(0)
    schedule.remove(1)
    schedule.add(1)
    assert.deepEqual(schedule.take(299_999), [])
    assert.deepEqual(schedule.take(300_000), [1])
  })

  it('lets one go again sooner whose turn came to nothing, if it is there', () => {
    const schedule = newSchedule()
    schedule.add(1)
    schedule.take(0)
    schedule.again(1, 60_000)
    schedule.again(2, 0)
    assert.deepEqual([schedule.take(59_999), schedule.take(60_000)], [[], [1]])
  })

  it('gives one that is added twice one turn', () => {
    const schedule = newSchedule()
    schedule.add(1)
    schedule.add(1)
    assert.deepEqual([schedule.take(0), schedule.take(0)], [[1], []])
  })

  it('has so many turns at once, and one more a minute', () => {
    const schedule = newSchedule()
    for (let torrent = 1; torrent <= 20; torrent++) schedule.add(torrent)
    assert.deepEqual(
      [0, 0, 0, 0, 59_999, 60_000, 60_001].map((now) => schedule.take(now)),
      [[1, 2], [3, 4], [5, 6], [], [], [7, 8], []],
    )
  })

  it('keeps no turn for nobody: what nobody takes is there for who comes', () => {
    const schedule = newSchedule()
    for (let now = 0; now < 10; now++) assert.deepEqual(schedule.take(now), [])
    for (let torrent = 1; torrent <= 8; torrent++) schedule.add(torrent)
    assert.equal([schedule.take(10), schedule.take(10), schedule.take(10), schedule.take(10)].flat().length, 6)
  })

  it('takes ever longer round where there are many, and leaves nobody out', () => {
    const schedule = newSchedule()
    const went = new Map<number, number[]>()
    for (let torrent = 0; torrent < 30; torrent++) schedule.add(torrent)
    for (let now = 0; now <= 3_600_000; now += 1_000)
      for (const torrent of schedule.take(now)) went.set(torrent, [...(went.get(torrent) ?? []), now])
    assert.equal(went.size, 30)
    for (const [torrent, times] of went) {
      assert.ok(times.length >= 4, `${torrent} went ${times.length} times`)
      for (let at = 1; at < times.length; at++) assert.ok((times[at] ?? 0) - (times[at - 1] ?? 0) >= 300_000)
    }
    const all = [...went.values()].flat()
    assert.ok(new Set(all).size <= 63, `${new Set(all).size} turns in an hour`)
  })
})

describe('an allowance', () => {
  it('is used up at once and comes back with time, never above what it was', () => {
    const allowance = new Allowance(2, 10)
    assert.deepEqual(
      [0, 0, 0, 99, 100].map((now) => allowance.take(now)),
      [true, true, false, false, true],
    )
    assert.deepEqual(
      [1_000_000, 1_000_000, 1_000_000].map((now) => allowance.take(now)),
      [true, true, false],
    )
  })

  it('is not taken in by a clock that goes back', () => {
    const allowance = new Allowance(1, 1)
    assert.equal(allowance.take(10_000), true)
    assert.equal(allowance.take(0), false)
    assert.equal(allowance.take(999), false)
  })
})
