import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { LinkBook } from '../../src/network/link-book.ts'
import { LinkMaintenance, OWN_CHOICE_WANTED } from '../../src/network/link-maintenance.ts'
import type { Member, MemberState } from '../../src/network/membership/member-table.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const member = (number: number, state: MemberState): Member => ({
  ...{ id: peerOf(number), role: 'index', address: { host: '', port: 1, dhtPort: 0 }, state },
  incarnation: 1,
})

describe('link maintenance', () => {
  const maintained = (members: readonly Member[], neighbours: number, transient = 0, anchors: readonly NodeId[] = []) => {
    const time = new VirtualTime(0)
    const links = new LinkBook()
    const [dialled, dropped]: [NodeId[], NodeId[]] = [[], []]
    for (let number = 0; number < neighbours + transient; number++) {
      const link = { peer: peerOf(100 + number), host: '', port: 1, initiator: true, since: 0 }
      links.up(link, number >= neighbours, 0).neighbour = number < neighbours
    }
    const maintenance = new LinkMaintenance({
      ...{ links, timers: time, random: () => 0.5, now: () => time.now(), members: () => members, anchors },
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
  })

  it('dials members until four links with members are of its own choice, however many others there are', async () => {
    const members = Array.from({ length: 9 }, (_, index) => member(1 + index, 'alive'))
    const { time, links, dialled, maintenance } = maintained(members, 40)
    const hello = { type: 'hello', version: 1, ...members[0]?.address, software: '', transient: false, heard: false } as const
    const up = (peer: NodeId, initiator: boolean, role: 'index' | 'client') => {
      const booked = links.up({ peer, host: '', port: 1, initiator, since: 0 }, false, 0)
      booked.neighbour = true
      booked.hello = { ...hello, host: '', port: 1, dhtPort: 0, role }
    }
    assert.equal(dialled.length, 2)
    // Those that others made, or with clients, are no choice of ours.
    for (const number of [1, 2, 3, 4]) up(peerOf(number), false, 'index')
    for (const number of [200, 201, 202, 203]) up(peerOf(number), true, 'client')
    await time.advance(2_000)
    assert.equal(dialled.length, 4)
    assert.ok(dialled.slice(2).every((peer) => links.get(peer) === undefined))
    for (const number of [5, 6, 7, 8].slice(0, OWN_CHOICE_WANTED - 1)) up(peerOf(number), true, 'index')
    await time.advance(2_000)
    assert.equal(dialled.length, 6)
    up(peerOf(8), true, 'index')
    await time.advance(60_000)
    assert.equal(dialled.length, 6)
    maintenance.stop()
  })

  it('dials nobody with four neighbours that are its own choice', async () => {
    const { time, links, dialled, maintenance } = maintained(three('alive'), 4)
    dialled.length = 0
    const hello = {
      type: 'hello',
      version: 1,
      software: '',
      transient: false,
      heard: false,
      host: '',
      port: 0,
      dhtPort: 0,
    } as const
    for (const booked of links.all()) booked.hello = { ...hello, role: 'index' }
    await time.advance(60_000)
    assert.deepEqual(dialled, [])
    links.down(peerOf(103))
    await time.advance(2_500)
    assert.ok(dialled.length > 0)
    maintenance.stop()
  })

  it('begins with the members of the run before, and tries each of them once', async () => {
    const members = Array.from({ length: 30 }, (_, index) => member(1 + index, index === 3 ? 'dead' : 'alive'))
    const anchors = [peerOf(4), peerOf(20), peerOf(21), peerOf(22)]
    const { time, dialled, maintenance } = maintained(members, 0, 0, anchors)
    await time.advance(20_000)
    maintenance.stop()
    assert.deepEqual(dialled.slice(0, 3).sort(), anchors.slice(1))
    assert.ok(dialled.length > 10)
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
