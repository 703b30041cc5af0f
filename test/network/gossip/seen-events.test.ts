import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'

const AUTHOR = 'a'.repeat(64) as NodeId
const seen = { event: { body: new Uint8Array(10), signature: new Uint8Array(64) }, hops: 1 }

describe('seen events', () => {
  const held = (events: SeenEvents, count: number): number[] =>
    Array.from({ length: count }, (_, index) => index + 1).filter((seq) => events.has(AUTHOR, seq))

  it('keeps an event for one to two turns', () => {
    const events = new SeenEvents(100, 10_000)
    events.add(AUTHOR, 1, seen)
    events.forgetOld()
    events.add(AUTHOR, 2, seen)
    assert.deepEqual(held(events, 2), [1, 2])
    events.forgetOld()
    assert.deepEqual(held(events, 2), [2])
    events.forgetOld()
    assert.deepEqual(held(events, 2), [])
  })

  it('are so many bytes of bodies at most, and what is forgotten leaves its room', () => {
    const events = new SeenEvents(100, 30)
    for (let seq = 1; seq <= 3; seq++) events.add(AUTHOR, seq, seen)
    assert.deepEqual(held(events, 3), [1, 2, 3])
    events.add(AUTHOR, 4, seen)
    assert.deepEqual(held(events, 4), [2, 3, 4])
    events.forget(AUTHOR, 3)
    events.forget(AUTHOR, 3)
    events.add(AUTHOR, 5, seen)
    assert.deepEqual(held(events, 5), [2, 4, 5])
    events.add(AUTHOR, 6, seen)
    assert.deepEqual(held(events, 6), [4, 5, 6])
  })

  it('keeps the first event of a number, and each once', () => {
    const events = new SeenEvents(2, 10_000)
    events.add(AUTHOR, 1, seen)
    events.add(AUTHOR, 1, { ...seen, hops: 9 })
    events.add(AUTHOR, 2, seen)
    assert.deepEqual([held(events, 2), events.get(AUTHOR, 1)?.hops], [[1, 2], 1])
  })

  it('lets the oldest go above its bounds, also between turns', () => {
    const events = new SeenEvents(3, 10_000)
    for (let seq = 1; seq <= 4; seq++) events.add(AUTHOR, seq, seen)
    events.forgetOld()
    for (let seq = 5; seq <= 6; seq++) events.add(AUTHOR, seq, seen)
    assert.deepEqual(held(events, 6), [4, 5, 6])
    events.forget(AUTHOR, 5)
    events.forgetOld()
    assert.deepEqual(held(events, 6), [6])
  })
})
