import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { OwnerLanes } from '../../../src/roles/client/owner-lanes.ts'
import { node } from '../../projections/envelopes.ts'

const owners = Array.from({ length: 6 }, (_, place) => node(`owner ${place}`))
const [a, b] = owners as [NodeId, NodeId]

describe('lanes to owners', () => {
  type Sent = { owner: NodeId; items: readonly number[]; answer(count?: number): void }
  let sent: Sent[]
  let underWay: number
  let underWayMax: number
  const lanes = (bounds: { perOwnerMax: number; totalMax: number; itemsMax?: number }): OwnerLanes<number> => {
    sent = []
    underWay = 0
    underWayMax = 0
    return new OwnerLanes<number>({
      itemsMax: 100,
      ...bounds,
      send(owner, items) {
        underWay += 1
        underWayMax = Math.max(underWayMax, underWay)
        const { promise, resolve } = Promise.withResolvers<number>()
        sent.push({
          owner,
          items,
          answer(count = items.length) {
            underWay -= 1
            resolve(count)
          },
        })
        return promise
      },
    })
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it('have no more under way than to one owner and in all is allowed, and one more waits', async () => {
    const one = lanes({ perOwnerMax: 2, totalMax: 10 })
    for (const item of [1, 2, 3]) {
      one.push(a, item)
      await turn()
    }
    assert.deepEqual([underWay, sent.length], [2, 2])
    sent[0]?.answer()
    await turn()
    assert.deepEqual(sent[2]?.items, [3])

    const all = lanes({ perOwnerMax: 1, totalMax: 5 })
    for (const owner of owners) all.push(owner, 1)
    await turn()
    assert.equal(sent.length, 5)
    sent[3]?.answer()
    await turn()
    assert.deepEqual([sent.length, underWayMax], [6, 5])
  })

  it('send what is pushed in one turn together, and what does not fit next, in its order', async () => {
    const lane = lanes({ perOwnerMax: 1, totalMax: 4, itemsMax: 3 })
    for (const item of [1, 2, 3, 4]) lane.push(a, item)
    await turn()
    assert.deepEqual(sent[0]?.items, [1, 2, 3])
    sent[0]?.answer(2)
    await turn()
    assert.deepEqual(sent[1]?.items, [3, 4])
    sent[1]?.answer()
    await lane.settled()
    assert.equal(sent.length, 2)
  })

  it('give each owner its turn, however much waits for the first', async () => {
    const lane = lanes({ perOwnerMax: 1, totalMax: 1, itemsMax: 1 })
    for (let item = 0; item < 5; item++) lane.push(a, item)
    lane.push(b, 9)
    await turn()
    sent[0]?.answer()
    await turn()
    assert.deepEqual(
      sent.map(({ owner }) => owner),
      [a, b],
    )
  })

  it('give back what waits for one owner or for all, and remember nothing of it', async () => {
    const lane = lanes({ perOwnerMax: 1, totalMax: 2, itemsMax: 1 })
    for (const item of [1, 2, 3]) lane.push(a, item)
    lane.push(b, 4)
    lane.push(b, 5)
    await turn()
    assert.deepEqual(lane.take(a), [2, 3])
    assert.deepEqual(lane.take(a), [])
    assert.deepEqual(lane.takeAll(), [5])
    for (const { answer } of sent) answer()
    await lane.settled()
    assert.equal(sent.length, 2)
  })
})
