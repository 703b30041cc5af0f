import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Beats } from '../../../src/network/membership/beats.ts'

const MEMBER = '1'.repeat(64) as NodeId

describe('beats', () => {
  it('are rolled up once', () => {
    const beats = new Beats()
    for (const [at, roundTripMs] of [3, 1, 2].entries()) beats.seen(MEMBER, roundTripMs, at)
    beats.missed(MEMBER, 9)
    assert.deepEqual(beats.rollUp(), [
      {
        ...{ kind: 'heartbeat.rolled-up', subject: MEMBER, beatsSeen: 3, beatsMissed: 1, firstAt: 0, lastAt: 9 },
        ...{ roundTripMicrosMin: 1_000, roundTripMicrosMedian: 2_000, roundTripMicrosMax: 3_000 },
      },
    ])
    assert.deepEqual(beats.rollUp(), [])
  })

  it('that were not stored are rolled up with those since, as if there had been one roll-up', () => {
    const [interrupted, whole] = [new Beats(), new Beats()]
    for (const beats of [interrupted, whole]) {
      for (let at = 0; at < 20; at++) beats.seen(MEMBER, 20 - at, at)
      beats.missed(MEMBER, 20)
      if (beats === interrupted) beats.rollUp()
      if (beats === interrupted) beats.giveBack(MEMBER)
      beats.giveBack(MEMBER)
      for (let at = 21; at < 30; at++) beats.seen(MEMBER, at, at)
      beats.missed(MEMBER, 30)
    }
    assert.deepEqual(interrupted.rollUp(), whole.rollUp())
  })

  it('that were not stored after there were others are added to them', () => {
    const [interrupted, whole] = [new Beats(), new Beats()]
    for (const beats of [interrupted, whole]) {
      for (let at = 0; at < 50; at++) beats.seen(MEMBER, 50 - at, at)
      beats.missed(MEMBER, 50)
      if (beats === interrupted) beats.rollUp()
      for (let at = 51; at < 60; at++) beats.seen(MEMBER, at, at)
      beats.missed(MEMBER, 60)
    }
    interrupted.giveBack(MEMBER)
    assert.deepEqual(interrupted.rollUp(), whole.rollUp())
  })

  it('that were not stored are kept of 8,192 members', () => {
    const beats = new Beats()
    const memberOf = (number: number) => number.toString(16).padStart(64, '0') as NodeId
    for (let number = 0; number < 8_193; number++) beats.missed(memberOf(number), 0)
    for (const { subject } of beats.rollUp()) beats.giveBack(subject)
    assert.equal(beats.rollUp().length, 8_192)
  })

  it('have the round trips of the last 64', () => {
    const beats = new Beats()
    for (let count = 0; count < 64; count++) beats.seen(MEMBER, 1, count)
    for (let count = 0; count < 63; count++) beats.seen(MEMBER, 9, 64 + count)
    const [told] = beats.rollUp()
    assert.deepEqual([told?.roundTripMicrosMin, told?.roundTripMicrosMedian, told?.beatsSeen], [1_000, 9_000, 127])
    for (let count = 0; count < 128; count++) beats.seen(MEMBER, count < 64 ? 1 : 9, count)
    assert.equal(beats.rollUp()[0]?.roundTripMicrosMin, 9_000)
  })
})
