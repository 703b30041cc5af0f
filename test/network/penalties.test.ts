import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { PENALTIES_MAX, Penalties } from '../../src/network/penalties.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peer = (index: number): NodeId => index.toString(16).padStart(64, '0') as NodeId
const FOR_MS = 60_000

describe('penalties', () => {
  const given = () => {
    const time = new VirtualTime()
    const dialled: NodeId[] = []
    const penalties = new Penalties({ clock: time, timers: time, forMs: FOR_MS, onDialAgain: (one) => dialled.push(one) })
    return { time, dialled, penalties }
  }

  it('end in time, and a new one counts from the start', async () => {
    const { time, dialled, penalties } = given()
    penalties.refuse(peer(1))
    penalties.leaveAlone(peer(2))
    await time.advance(FOR_MS / 2)
    penalties.leaveAlone(peer(2))
    await time.advance(FOR_MS / 2)
    assert.deepEqual(
      [1, 2].map((index) => penalties.isRefused(peer(index))),
      [false, true],
    )
    assert.deepEqual(dialled, [])
    await time.advance(FOR_MS / 2)
    assert.equal(penalties.isRefused(peer(2)), false)
    assert.deepEqual(dialled, [peer(2)])
  })

  it(`are ${PENALTIES_MAX} at most, whoever makes keys: the oldest is refused and left alone no more`, async () => {
    const { time, dialled, penalties } = given()
    for (let index = 0; index <= PENALTIES_MAX; index++) penalties.leaveAlone(peer(index))
    assert.deepEqual(
      [0, 1, PENALTIES_MAX].map((index) => penalties.isRefused(peer(index))),
      [false, true, true],
    )
    assert.deepEqual(dialled, [peer(0)])
    await time.advance(FOR_MS)
    assert.equal(dialled.length, PENALTIES_MAX + 1, 'each once')
    assert.equal(new Set(dialled).size, PENALTIES_MAX + 1)
  })

  it('set off nothing once they are stopped', async () => {
    const { time, dialled, penalties } = given()
    penalties.leaveAlone(peer(1))
    penalties.stop()
    await time.advance(2 * FOR_MS)
    assert.deepEqual(dialled, [])
  })
})
