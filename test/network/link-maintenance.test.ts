import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { LinkBook } from '../../src/network/link-book.ts'
import { LinkMaintenance } from '../../src/network/link-maintenance.ts'
import type { Member, MemberState } from '../../src/network/membership/member-table.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const member = (number: number, state: MemberState): Member => ({
  ...{ id: peerOf(number), role: 'index', address: { host: '', port: 1, dhtPort: 0 }, state },
  incarnation: 1,
})

describe('link maintenance', () => {
  const maintained = (members: readonly Member[], neighbours: number, transient = 0) => {
    const time = new VirtualTime(0)
    const links = new LinkBook()
    const [dialled, dropped]: [NodeId[], NodeId[]] = [[], []]
    for (let number = 0; number < neighbours + transient; number++) {
      const link = { peer: peerOf(100 + number), host: '', port: 1, initiator: true, since: 0 }
      links.up(link, number >= neighbours, 0).neighbour = number < neighbours
    }
    const maintenance = new LinkMaintenance({
      ...{ links, timers: time, random: () => 0.5, now: () => time.now(), members: () => members },
      connect: (to) => dialled.push(to),
      drop: (peer) => dropped.push(peer),
    })
    maintenance.start()
    return { time, links, dialled, dropped, maintenance }
  }
  const three = (state: MemberState) => [1, 2, 3].map((number) => member(number, state))

  it('dials two members each 2 s while there are fewer than four neighbours', async () => {
    const { time, dialled, maintenance } = maintained(three('alive'), 3)
    assert.equal(dialled.length, 2)
    assert.equal(new Set(dialled).size, 2)
    await time.advance(2_000)
    assert.equal(dialled.length, 4)
    maintenance.stop()
    await time.advance(60_000)
    assert.equal(dialled.length, 4)
    assert.deepEqual(maintained(three('alive'), 4).dialled, [])
  })

  it('dials the dead where nobody else is known, and nobody who has left', () => {
    assert.equal(maintained(three('dead'), 0).dialled.length, 2)
    assert.deepEqual(maintained(three('left'), 0).dialled, [])
    assert.deepEqual(maintained([...three('dead'), member(9, 'suspect')], 0).dialled, [peerOf(9)])
  })

  it('closes a link for a short exchange that was not used for 5 s, and no other', async () => {
    const { time, links, dropped } = maintained([], 4, 2)
    await time.advance(4_000)
    const used = links.get(peerOf(105))
    assert.ok(used)
    used.usedAt = time.now()
    await time.advance(2_000)
    assert.deepEqual(dropped, [peerOf(104)])
  })
})
