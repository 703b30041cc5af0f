import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { LinkBook } from '../../src/network/link-book.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const [PEER, OTHER] = [peerOf(1), peerOf(2)]
const linkOf = (peer: NodeId) => ({ peer, host: '10.0.0.1', port: 1, initiator: true, since: 0 })

describe('link book', () => {
  let links: LinkBook
  beforeEach(() => {
    links = new LinkBook()
  })

  it('holds a link from its start to its end, at first with nothing heard and nothing said', () => {
    const booked = links.up(linkOf(PEER), true, 7)
    assert.deepEqual(booked, {
      ...{ link: linkOf(PEER), hello: undefined, transient: true, neighbour: false, usedAt: 7, heardAt: undefined },
      ...{ hellosOut: 0, hellosIn: 0, messagesIn: 0, messagesOut: 0 },
    })
    assert.equal(links.get(PEER), booked)
    assert.deepEqual([...links.all()], [booked])
    assert.equal(links.down(PEER), booked)
    assert.deepEqual([links.get(PEER), links.down(PEER), [...links.all()]], [undefined, undefined, []])
  })

  it('has one link a peer, the last', () => {
    links.up(linkOf(PEER), true, 1)
    const last = links.up(linkOf(PEER), false, 2)
    assert.deepEqual([...links.all()], [last])
  })

  it('counts those that gossip uses', () => {
    for (const number of [1, 2, 3]) links.up(linkOf(peerOf(number)), false, 0).neighbour = number > 1
    assert.equal(links.neighbourCount, 2)
    links.down(peerOf(3))
    assert.equal(links.neighbourCount, 1)
  })

  it('lets nobody wait for a link that is there', async () => {
    links.up(linkOf(PEER), false, 0)
    const { promise, first } = links.wait(PEER)
    assert.deepEqual([first, links.isWaitedFor(PEER), links.waitingCount], [false, false, 0])
    assert.equal(await promise, true)
  })

  it('tells all who wait for a peer what became of it, and only the first that it has to dial', async () => {
    const waiting = [links.wait(PEER), links.wait(PEER), links.wait(OTHER)]
    assert.deepEqual(
      waiting.map(({ first }) => first),
      [true, false, true],
    )
    assert.deepEqual([links.waitingCount, links.isWaitedFor(PEER)], [2, true])
    links.settle(PEER, true)
    links.settle(OTHER, false)
    assert.deepEqual(await Promise.all(waiting.map(({ promise }) => promise)), [true, true, false])
    assert.deepEqual([links.waitingCount, links.isWaitedFor(PEER), links.wait(PEER).first], [0, false, true])
  })

  it('settles nothing where nobody waits', () => {
    links.settle(PEER, true)
    assert.equal(links.waitingCount, 0)
  })
})
