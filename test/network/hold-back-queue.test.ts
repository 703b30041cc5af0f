import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareCanonically, type Header, type NodeId } from '../../src/events/index.ts'
import { type HeldBack, HoldBackQueue } from '../../src/network/hold-back-queue.ts'

const author = (digit: string): NodeId => digit.repeat(64) as NodeId
const item = (lamport: number, by = 'a', authorSeq = lamport): HeldBack => ({
  header: { version: 1, kind: 1, lamport, author: author(by), stream: 'gossip', authorSeq, at: 0 } as Header,
  event: { body: new Uint8Array(), signature: new Uint8Array() },
})
const stamps = (items: readonly HeldBack[]): number[] => items.map(({ header }) => header.lamport)

describe('hold-back queue', () => {
  it('gives events that arrive within the hold-back in canonical order', () => {
    const queue = new HoldBackQueue(100, 10)
    queue.push(item(3), 0)
    queue.push(item(1), 50)
    queue.push(item(2), 99)
    assert.equal(queue.nextAt, 100)
    assert.deepEqual(queue.release(99), [])
    assert.deepEqual(stamps(queue.release(100)), [1, 2, 3])
    assert.equal(queue.nextAt, undefined)
  })

  it('keeps an event that comes after the one that is due', () => {
    const queue = new HoldBackQueue(100, 10)
    queue.push(item(1), 0)
    queue.push(item(2), 50)
    assert.deepEqual(stamps(queue.release(100)), [1])
    assert.equal(queue.nextAt, 150)
    assert.equal(queue.size, 1)
  })

  it('lets the first ones go early when too many wait', () => {
    const queue = new HoldBackQueue(100, 2)
    for (const stamp of [5, 4]) queue.push(item(stamp), 0)
    assert.deepEqual([queue.nextAt, queue.release(0)], [100, []], 'as many as may wait')
    queue.push(item(3), 0)
    assert.equal(queue.nextAt, 0)
    assert.deepEqual(stamps(queue.release(0)), [3])
  })

  it('goes on in the same way after hundreds have left', () => {
    const queue = new HoldBackQueue(100, 1_000)
    for (let stamp = 1; stamp <= 300; stamp++) queue.push(item(stamp), stamp)
    for (let stamp = 1; stamp < 300; stamp++) {
      assert.equal(queue.nextAt, stamp + 100)
      assert.deepEqual(stamps(queue.release(stamp + 100)), [stamp])
    }
    queue.push(item(301), 350)
    assert.deepEqual([queue.nextAt, stamps(queue.release(400)), queue.nextAt, queue.size], [400, [300], 450, 1])
  })

  it('lets a late event pass', () => {
    const queue = new HoldBackQueue(100, 10)
    queue.push(item(9), 0)
    assert.deepEqual(stamps(queue.release(100)), [9])
    queue.push(item(1), 200)
    assert.deepEqual(stamps(queue.release(300)), [1])
  })

  it('gives every event once, and each batch in canonical order, whatever the arrivals', () => {
    const arrival = fc.record({
      lamport: fc.integer({ min: 1, max: 20 }),
      by: fc.constantFrom('a', 'b', 'c'),
      wait: fc.nat(80),
    })
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 200, size: 'max' }), fc.integer({ min: 1, max: 30 }), (arrivals, countMax) => {
        const queue = new HoldBackQueue(100, countMax)
        let now = 0
        const released: HeldBack[] = []
        const take = () => {
          const batch = queue.release(now)
          batch.reduce((before, after) => {
            assert.ok(compareCanonically(before.header, after.header) <= 0)
            return after
          }, batch[0] as HeldBack)
          released.push(...batch)
          assert.ok(queue.size <= countMax)
        }
        arrivals.forEach(({ lamport, by, wait }, index) => {
          now += wait
          queue.push(item(lamport, by, index + 1), now)
          take()
        })
        now += 100
        take()
        assert.equal(queue.size, 0)
        assert.deepEqual(
          released.map(({ header }) => header.authorSeq).sort((a, b) => a - b),
          arrivals.map((_, index) => index + 1),
        )
      }),
    )
  })
})
