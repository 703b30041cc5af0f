import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { NamedTimers } from '../../src/network/named-timers.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

type Timer = { name: 'a' | 'b'; of?: NodeId | number }

describe('named timers', () => {
  let time: VirtualTime
  let timers: NamedTimers<Timer>
  let ran: string[]
  beforeEach(() => {
    time = new VirtualTime(0)
    timers = new NamedTimers(time)
    ran = []
  })
  const set = (timer: Timer, afterMs: number, what = '') =>
    timers.set(timer, afterMs, () => ran.push(`${timer.name}${timer.of ?? ''}${what} at ${time.now()}`))

  it('run once, at their time', async () => {
    set({ name: 'a' }, 10)
    await time.advance(9)
    assert.deepEqual(ran, [])
    await time.advance(100)
    assert.deepEqual(ran, ['a at 10'])
  })

  it('are moved where they are set again, and one may be set by what it runs', async () => {
    set({ name: 'a' }, 10, ' first')
    await time.advance(5)
    set({ name: 'a' }, 10, ' second')
    timers.set({ name: 'b' }, 1, () => set({ name: 'b' }, 3))
    await time.advance(100)
    assert.deepEqual(ran, ['b at 9', 'a second at 15'])
  })

  it('are one for each name, and for each thing that it is of', async () => {
    for (const timer of [{ name: 'a' }, { name: 'b' }, { name: 'a', of: 1 }, { name: 'a', of: 2 }] as const) set(timer, 10)
    await time.advance(10)
    assert.deepEqual(ran, ['a at 10', 'b at 10', 'a1 at 10', 'a2 at 10'])
  })

  it('run no more once they are cleared, and may be set again', async () => {
    set({ name: 'a', of: 1 }, 10)
    set({ name: 'b' }, 10)
    timers.clear()
    set({ name: 'b' }, 20)
    await time.advance(100)
    assert.deepEqual(ran, ['b at 20'])
  })
})
