import { deepEqual, equal } from 'node:assert/strict'
import { untilAdmitted, untilTrue } from '../../src/roles/until-true.ts'
import { joiningAs } from '../events/test-network.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { openSmallLog, type SmallLog } from './small-log.ts'

const WAIT_MS = 2_000

describe('waiting until something is true', () => {
  let time: VirtualTime
  let closing: AbortController
  let isTrue: boolean
  let followers: Set<() => void>
  beforeEach(() => {
    time = new VirtualTime()
    closing = new AbortController()
    isTrue = false
    followers = new Set()
  })
  const follow = (look: () => void) => {
    followers.add(look)
    return () => void followers.delete(look)
  }
  const look = () => {
    for (const follower of followers) follower()
  }
  const wait = () => {
    const from = time.now()
    const waited = { forMs: undefined as number | undefined }
    void untilTrue(
      () => isTrue,
      (given) => [follow(given), follow(() => given())],
      { timers: time, waitMs: WAIT_MS, closing: closing.signal },
    ).then(() => {
      waited.forMs = time.now() - from
    })
    return waited
  }

  it('is over at once where it is true already, or the node closes, and nothing is followed', async () => {
    isTrue = true
    const waited = wait()
    await time.advance(0)
    deepEqual([waited.forMs, followers.size], [0, 0])
    isTrue = false
    closing.abort()
    const closed = wait()
    await time.advance(0)
    deepEqual([closed.forMs, followers.size], [0, 0])
  })

  it('is over as soon as a look finds it true, and not at a look that does not', async () => {
    const waited = wait()
    equal(followers.size, 2)
    await time.advance(100)
    look()
    await time.advance(100)
    equal(waited.forMs, undefined)
    isTrue = true
    look()
    await time.advance(0)
    deepEqual([waited.forMs, followers.size], [200, 0])
  })

  it('is over in vain after its time, and no ms before', async () => {
    const waited = wait()
    await time.advance(WAIT_MS - 1)
    equal(waited.forMs, undefined)
    await time.advance(1)
    deepEqual([waited.forMs, followers.size], [WAIT_MS, 0])
  })

  it('is over when the node closes', async () => {
    const waited = wait()
    await time.advance(5)
    closing.abort()
    await time.advance(0)
    deepEqual([waited.forMs, followers.size], [5, 0])
  })

  describe('with each admission', () => {
    const admissions = async (
      test: (given: { admit(): Promise<unknown>; own: SmallLog; attempts: number[]; over: () => boolean }) => Promise<void>,
      succeedsAt: number,
    ) => {
      await using own = await openSmallLog()
      const admit = () =>
        own.log.append([{ event: { kind: 'node.admitted', credential: joiningAs('client').credentialOf(own.id) } }])
      const from = own.time.now()
      const attempts: number[] = []
      let isOver = false
      const options = { timers: own.time, waitMs: WAIT_MS, closing: closing.signal }
      void untilAdmitted(own.states, async () => attempts.push(own.time.now() - from) >= succeedsAt, options).then(() => {
        isOver = true
      })
      await test({ admit, own, attempts, over: () => isOver })
    }

    it('makes an attempt at once, with each one, with nothing else, and none after one that succeeds', () =>
      admissions(async ({ admit, own, attempts, over }) => {
        await own.time.advance(10)
        await own.log.append([{ event: { kind: 'node.stopped', reason: 'asked to' } }])
        await own.time.advance(10)
        deepEqual(attempts, [0])
        await admit()
        await own.time.advance(10)
        deepEqual([attempts, over()], [[0, 20], false])
        await admit()
        await own.time.advance(10)
        deepEqual([attempts, over()], [[0, 20, 30], true])
        await admit()
        await own.time.advance(10)
        deepEqual(attempts, [0, 20, 30])
      }, 3))

    it('ends after its time, and no ms before', () =>
      admissions(async ({ own, over }) => {
        await own.time.advance(WAIT_MS - 1)
        equal(over(), false)
        await own.time.advance(1)
        equal(over(), true)
      }, 9))

    it('ends when the node closes', () =>
      admissions(async ({ own, over }) => {
        await own.time.advance(5)
        closing.abort()
        await own.time.advance(0)
        equal(over(), true)
      }, 9))
  })
})
