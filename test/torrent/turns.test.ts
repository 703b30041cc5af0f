import assert from 'node:assert/strict'
import { Turns } from '../../src/torrent/turns.ts'

describe('turns', () => {
  it('run a few works at a time, in the order in which they came', async () => {
    const turns = new Turns(2)
    let running = 0
    let most = 0
    const order: number[] = []
    const works = Array.from({ length: 6 }, (_, index) =>
      turns.run(async () => {
        most = Math.max(most, ++running)
        order.push(index)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (index === 1) throw new Error('no')
        return index
      }),
    )
    const ended = await Promise.allSettled(works)
    assert.deepEqual([most, order], [2, [0, 1, 2, 3, 4, 5]])
    assert.equal(ended[1]?.status, 'rejected')
  })

  it('give their place to the next only when there is one, so that no more run later', async () => {
    const turns = new Turns(1)
    const order: string[] = []
    const gates: (() => void)[] = []
    const work = (name: string) =>
      turns.run(async () => {
        order.push(`${name} begins`)
        await new Promise<void>((resolve) => gates.push(resolve))
        order.push(`${name} ends`)
      })
    await turns.run(async () => order.push('alone'))
    const both = [work('a'), work('b')]
    assert.deepEqual(order, ['alone', 'a begins'])
    gates.shift()?.()
    await both[0]
    gates.shift()?.()
    await both[1]
    assert.deepEqual(order, ['alone', 'a begins', 'a ends', 'b begins', 'b ends'])
    const third = work('c')
    assert.equal(order.at(-1), 'c begins')
    gates.shift()?.()
    await third
  })
})
