import assert from 'node:assert/strict'
import { VirtualTime } from './virtual-time.ts'

describe('virtual time', () => {
  it('runs timers at their time, equal times in order of setting, however far ahead they were set', async () => {
    const time = new VirtualTime(1_000)
    const ran: [string, number][] = []
    const set = (name: string, afterMs: number) => time.after(afterMs, () => ran.push([name, time.now() - 1_000]))
    set('far', 500_000)
    set('far too', 500_000)
    set('soon', 0.5)
    set('never', 10)()
    await time.advance(499_000)
    set('set last', 1_000)
    time.after(20, () => set('from a timer', 0))
    await time.advance(1_000)
    assert.deepEqual(ran, [
      ['soon', 1],
      ['from a timer', 499_020],
      ['far', 500_000],
      ['far too', 500_000],
      ['set last', 500_000],
    ])
  })

  it('lets promises that a timer made ready go on in the same instant, and set timers in it', async () => {
    const time = new VirtualTime(0)
    const ran: number[] = []
    time.after(5, () => {
      void Promise.resolve()
        .then(() => time.after(0, () => ran.push(time.now())))
        .then(() => time.after(3, () => ran.push(time.now())))
    })
    await time.advance(7)
    assert.deepEqual(ran, [5])
    await time.advance(1)
    assert.deepEqual(ran, [5, 8])
  })
})
