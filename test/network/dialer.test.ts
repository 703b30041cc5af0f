import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { DIALS_MAX, Dialer } from '../../src/network/dialer.ts'
import { LinkBook } from '../../src/network/link-book.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId

describe('dialer', () => {
  let time: VirtualTime
  let links: LinkBook
  let dialer: Dialer
  let dials: { peer: NodeId; end: (linked: boolean) => void }[]
  beforeEach(() => {
    time = new VirtualTime(0)
    links = new LinkBook()
    dials = []
    dialer = new Dialer({
      ...{ links, timers: time, onNotice: (text) => assert.fail(text) },
      transport: {
        dial: (peer) => new Promise((end) => dials.push({ peer, end })),
      },
    })
  })
  const connect = (peer: number, lasting = false) => dialer.connect(peerOf(peer), undefined, lasting)
  const comesUp = (peer: number) => {
    const link = { peer: peerOf(peer), host: '', port: 1, initiator: true, since: 0 }
    links.up(link, dialer.takeTransient(peerOf(peer)), 0).neighbour = true
    links.settle(peerOf(peer), true)
  }

  it('makes 32 dials at once; it does not make another, until one is over', async () => {
    assert.equal(DIALS_MAX, 32)
    const first = connect(0)
    for (let peer = 1; peer < DIALS_MAX; peer++) void connect(peer)
    assert.equal(await connect(DIALS_MAX), 'not-dialled')
    assert.equal(dials.length, DIALS_MAX)
    const again = connect(0)
    dials[0]?.end(false)
    assert.deepEqual([await first, await again], ['unreachable', 'unreachable'], 'who waits for the same dial has its end')
    void connect(DIALS_MAX)
    assert.equal(dials.length, DIALS_MAX + 1)
  })

  it('gives a link that is there at once, and waits 2 s for one that was dialled to be reported', async () => {
    const [up, lost] = [connect(1), connect(2)]
    for (const { end } of dials) end(true)
    await time.advance(1_000)
    comesUp(1)
    assert.equal(await up, 'linked')
    assert.equal(await connect(1), 'linked')
    await time.advance(1_000)
    assert.equal(await lost, 'unreachable')
    assert.equal(dials.length, 2)
  })

  it('takes a link for a short exchange from eight neighbours on, unless it is to last', async () => {
    for (let peer = 0; peer < 8; peer++) {
      void connect(peer)
      comesUp(peer)
    }
    assert.ok([...links.all()].every(({ transient }) => !transient))
    void connect(10)
    comesUp(10)
    void connect(11, true)
    comesUp(11)
    assert.deepEqual([links.get(peerOf(10))?.transient, links.get(peerOf(11))?.transient], [true, false])
  })

  it('gives a link that is there, also while there are as many dials as there may be', async () => {
    comesUp(0)
    for (let peer = 1; peer <= DIALS_MAX; peer++) void connect(peer)
    assert.deepEqual([await connect(0), dials.length], ['linked', DIALS_MAX])
  })

  it('takes the link that a peer makes itself, after a dial for a short exchange in vain, as any other', async () => {
    for (let peer = 0; peer < 8; peer++) comesUp(peer)
    const connected = connect(10)
    dials[0]?.end(false)
    assert.equal(await connected, 'unreachable')
    comesUp(10)
    assert.equal(links.get(peerOf(10))?.transient, false)
  })

  it('waits for no link any more once it is stopped', async () => {
    const connected = connect(1)
    dials[0]?.end(true)
    await time.advance(1)
    dialer.stop()
    await time.advance(10_000)
    assert.equal(links.isWaitedFor(peerOf(1)), true, 'what waits ends with the node')
    links.settle(peerOf(1), false)
    assert.equal(await connected, 'unreachable')
  })
})
