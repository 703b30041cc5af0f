import { deepEqual, equal } from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { untilAdmitted, untilTrue } from '../../src/roles/until-true.ts'
import { joiningAs } from '../events/test-network.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { openSmallLog } from './small-log.ts'

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

  it('for an admission ends with the next one, and not with those of before or with other events', async () => {
    await using own = await openSmallLog()
    const admitted = (node: NodeId) =>
      own.log.append([{ event: { kind: 'node.admitted', credential: joiningAs('client').credentialOf(node) } }])
    await admitted(own.id)
    let isOver = false
    const options = { timers: own.time, waitMs: WAIT_MS, closing: closing.signal }
    void untilAdmitted(own.states, options).then(() => {
      isOver = true
    })
    await own.log.append([{ event: { kind: 'node.stopped', reason: 'asked to' } }])
    await own.time.advance(WAIT_MS - 1)
    equal(isOver, false)
    await admitted(own.id)
    await own.time.advance(0)
    equal(isOver, true)
  })
})
