import assert from 'node:assert/strict'
import fc from 'fast-check'
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

  it('forgets an author with its last event, and lets one event be held that is larger than all may be', () => {
    const events = new SeenEvents(3, 15)
    events.add(AUTHOR, 1, seen)
    events.forget(AUTHOR, 1)
    events.forget('b'.repeat(64) as NodeId, 1)
    events.add(AUTHOR, 1, seen)
    assert.deepEqual(held(events, 1), [1], 'another copy is welcome')
    events.add(AUTHOR, 2, { ...seen, event: { ...seen.event, body: new Uint8Array(16) } })
    assert.deepEqual(held(events, 2), [], 'there is no room for it, nor for what was here before it')
    events.add(AUTHOR, 3, seen)
    assert.deepEqual(held(events, 3), [3])
  })

  it('gives an event that comes again after it was refused a place of its own, not that of the first copy', () => {
    const events = new SeenEvents(2, 10_000)
    events.add(AUTHOR, 1, seen)
    events.forget(AUTHOR, 1)
    events.add(AUTHOR, 2, seen)
    events.add(AUTHOR, 1, seen)
    events.add(AUTHOR, 3, seen)
    assert.deepEqual(held(events, 3), [1, 3])
  })

  /** What is promised, written the slow way: a list of what is held, each with whether it was here at the last turn. */
  it('holds what a plain list would hold, over any history', () => {
    const authors = ['a', 'b', 'c'].map((letter) => letter.repeat(64) as NodeId)
    const one = { author: fc.constantFrom(...authors), authorSeq: fc.integer({ min: 1, max: 12 }) }
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.record({ do: fc.constant('add' as const), ...one, bytes: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('forget' as const), ...one }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.integer({ min: 1, max: 8 }), (steps, countMax) => {
        const bytesMax = 100
        const events = new SeenEvents(countMax, bytesMax)
        let list: { author: NodeId; authorSeq: number; bytes: number; isOld: boolean }[] = []
        const at = (author: NodeId, authorSeq: number) =>
          list.findIndex((held) => held.author === author && held.authorSeq === authorSeq)
        for (const each of steps) {
          if (each.do === 'turn') {
            events.forgetOld()
            list = list.filter(({ isOld }) => !isOld).map((held) => ({ ...held, isOld: true }))
          } else if (each.do === 'forget') {
            events.forget(each.author, each.authorSeq)
            const found = at(each.author, each.authorSeq)
            if (found >= 0) list.splice(found, 1)
          } else {
            const { author, authorSeq, bytes } = each
            events.add(author, authorSeq, { ...seen, event: { ...seen.event, body: new Uint8Array(bytes) } })
            if (at(author, authorSeq) < 0) list.push({ author, authorSeq, bytes, isOld: false })
            while (list.length > countMax || list.reduce((sum, held) => sum + held.bytes, 0) > bytesMax) list.shift()
          }
          for (const author of authors)
            for (let authorSeq = 1; authorSeq <= 12; authorSeq++)
              assert.equal(events.has(author, authorSeq), at(author, authorSeq) >= 0)
        }
      }),
      { numRuns: 40 },
    )
  })
})
