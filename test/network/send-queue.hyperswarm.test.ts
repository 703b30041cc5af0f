import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Millis } from '../../src/events/index.ts'
import { DEFAULT_LIMITS, type TransportLimits } from '../../src/network/limits.hyperswarm.ts'
import { SendLane } from '../../src/network/send-lane.hyperswarm.ts'
import { SendQueue } from '../../src/network/send-queue.hyperswarm.ts'
import { TokenBucket } from '../../src/network/token-bucket.hyperswarm.ts'

/** Resolves when the collector has taken them all; a `WeakRef` holds for the turn in which it was made. */
async function collected(refs: readonly WeakRef<object>[]): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  await setImmediate()
  collect()
  assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0)
}

/** Time that stands still until it is moved. */
class StillTime {
  #now = 0
  #timers: { at: number; run: () => void }[] = []

  now(): Millis {
    return this.#now as Millis
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  pass(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((each) => each !== next)
      this.#now = next.at
      next.run()
    }
    this.#now = until
  }

  get pending(): number {
    return this.#timers.length
  }
}

describe('token bucket', () => {
  it('gives its burst at once and then its rate', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0)
    assert.deepEqual(
      [1, 1, 1, 1].map((amount) => bucket.take(amount, 0)),
      [true, true, true, false],
    )
    assert.equal(bucket.waitMs(1, 0), 100)
    assert.equal(bucket.take(1, 99), false)
    assert.equal(bucket.take(1, 100), true)
  })

  it('lets wait until a token is whole, and not a moment less', () => {
    const bucket = new TokenBucket({ perSecond: 3, burst: 1 }, 0)
    assert.equal(bucket.take(1, 0), true)
    assert.equal(bucket.waitMs(1, 0), 334)
    assert.deepEqual([bucket.take(1, 333), bucket.take(1, 334)], [false, true])
  })

  it('saves up no more than its burst', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0)
    assert.equal(bucket.take(4, 1_000_000), false)
    assert.equal(bucket.take(3, 1_000_000), true)
  })

  it('gives nothing for a clock that steps back', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 1_000)
    assert.equal(bucket.take(1, 1_000), true)
    assert.equal(bucket.take(1, 0), false)
    assert.equal(bucket.take(1, 100), true)
  })
})

describe('send queue', () => {
  const limits: TransportLimits = {
    ...DEFAULT_LIMITS,
    messagesOut: { perSecond: 10, burst: 2 },
    bytesOut: { perSecond: 1_000, burst: 1_000 },
    queueMessagesMax: 4,
    queueBytesMax: 2_000,
    queueBytesMaxOfClient: 1_000,
  }
  let time: StillTime
  let written: number[]
  let writable: boolean
  let queue: SendQueue

  beforeEach(() => {
    time = new StillTime()
    written = []
    writable = true
    queue = new SendQueue(limits, time, time, (message) => {
      written.push(message[0] ?? 0)
      return writable
    })
  })

  const push = (name: number, length = 1): boolean => queue.push(new Uint8Array(length).fill(name))

  it('leaves no timer when it is closed: neither of its rate nor of a peer that takes nothing', () => {
    for (const name of [1, 2, 3]) push(name)
    assert.equal(time.pending, 1)
    queue.close()
    assert.equal(time.pending, 0)
    time.pass(10_000)
    assert.deepEqual([written, push(4)], [[1, 2], false])
  })

  it('writes a burst at once and the rest at its rate, in order', () => {
    for (const name of [1, 2, 3, 4]) assert.equal(push(name), true)
    assert.deepEqual(written, [1, 2])
    time.pass(100)
    assert.deepEqual(written, [1, 2, 3])
    time.pass(100)
    assert.deepEqual(written, [1, 2, 3, 4])
    assert.equal(time.pending, 0)
  })

  it('lets what is urgent overtake what waits', () => {
    for (const name of [1, 2, 3, 4]) push(name)
    assert.equal(queue.push(Uint8Array.of(9), true), true)
    assert.equal(queue.push(Uint8Array.of(10), true), true)
    time.pass(500)
    assert.deepEqual(written, [1, 2, 9, 10, 3, 4])
  })

  it('is full at its number of messages', () => {
    for (let name = 1; name <= 6; name++) assert.equal(push(name), true)
    assert.equal(push(7), false)
    time.pass(100)
    assert.equal(push(8), true)
  })

  it('is full at its bytes', () => {
    writable = false
    assert.equal(push(1, 500), true)
    assert.equal(push(2, 1_500), true)
    assert.equal(push(3, 501), false)
    assert.equal(push(4, 500), true)
  })

  it('is full earlier for a client', () => {
    writable = false
    queue.isForClient()
    assert.equal(push(1, 500), true)
    assert.equal(push(2, 1_000), true)
    assert.equal(push(3, 1), false)
  })

  it('keeps nothing of what has left', async () => {
    const lane = new SendLane()
    const left: WeakRef<Uint8Array>[] = []
    for (let count = 0; count < 100; count++) {
      const message = new Uint8Array(1_000)
      left.push(new WeakRef(message))
      lane.push(message)
    }
    for (let count = 0; count < 99; count++) lane.shift()
    await collected(left.slice(0, 99))
    // Asked here, so that the lane itself is still held.
    assert.equal(lane.count, 1)
  })

  it('writes nothing while the stream is full, and goes on when it drains', () => {
    writable = false
    push(1)
    push(2)
    time.pass(1_000)
    assert.deepEqual(written, [1])
    writable = true
    queue.drained()
    assert.deepEqual(written, [1, 2])
  })

  it('says so when the peer has read nothing for too long, and not when it reads in time', () => {
    let stalled = 0
    const slow = new SendQueue(
      limits,
      time,
      time,
      () => false,
      () => stalled++,
    )
    slow.push(Uint8Array.of(1))
    time.pass(limits.stallMsMax - 1)
    slow.drained()
    time.pass(limits.stallMsMax)
    assert.equal(stalled, 0)
    slow.push(Uint8Array.of(2))
    time.pass(limits.stallMsMax)
    assert.equal(stalled, 1)
    slow.close()
  })

  it('lets a message larger than its burst pass when the bucket is full', () => {
    const small = new SendQueue({ ...limits, bytesOut: { perSecond: 100, burst: 10 } }, time, time, (message) => {
      written.push(message[0] ?? 0)
      return true
    })
    assert.equal(small.push(new Uint8Array(50).fill(1)), true)
    assert.equal(small.push(new Uint8Array(10).fill(2)), true)
    assert.deepEqual(written, [1])
    time.pass(100)
    assert.deepEqual(written, [1, 2])
  })

  it('writes nothing any more once it is closed', () => {
    for (const name of [1, 2, 3]) push(name)
    queue.close()
    time.pass(1_000)
    assert.deepEqual(written, [1, 2])
    assert.equal(push(4), false)
    assert.equal(time.pending, 0)
  })
})
