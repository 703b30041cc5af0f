import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { Handshake, HELLOS_IN_MAX, HELLOS_MAX } from '../../src/network/handshake.ts'
import { type BookedLink, LinkBook } from '../../src/network/link-book.ts'
import { type HelloMessage, WIRE_VERSION } from '../../src/network/wire.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const PEER = '1'.repeat(64) as NodeId
const ADDRESS = { host: '10.0.0.1', port: 1, dhtPort: 0 }
const HELLO: HelloMessage = {
  ...{ type: 'hello', version: WIRE_VERSION, role: 'index', ...ADDRESS, software: 'x', transient: false, heard: false },
}

describe('handshake', () => {
  let time: VirtualTime
  let links: LinkBook
  let handshake: Handshake
  let booked: BookedLink
  let sent: HelloMessage[]
  let told: string[]
  const begin = (isTransient = false) => {
    time = new VirtualTime(0)
    links = new LinkBook()
    sent = []
    told = []
    handshake = new Handshake({
      ...{ links, timers: time, role: 'client', software: 'p'.repeat(200), address: () => ADDRESS },
      send: (_, hello) => sent.push(hello),
      drop: (_, why) => told.push(`drop ${why}`),
      charge: (_, reason) => told.push(`charge ${reason}`),
      mayBe: (_, role) => role !== 'bootstrap',
      onGreeted: ({ neighbour }) => told.push(`greeted ${neighbour ? 'neighbour' : 'other'}`),
    })
    booked = links.up({ peer: PEER, host: '', port: 1, initiator: true, since: 0 }, isTransient, 0)
    handshake.greet(booked)
  }
  beforeEach(() => begin())

  it('says hello each second, four times, and then gives the link up', async () => {
    await time.advance(3_999)
    assert.deepEqual([sent.length, told], [HELLOS_MAX, []])
    await time.advance(1)
    assert.deepEqual(told, ['drop timeout'])
    await time.advance(60_000)
    assert.deepEqual([sent.length, told.length], [HELLOS_MAX, 1])
  })

  it('says it no more once the peer has said its own, nor when the link is another', async () => {
    handshake.receive(booked, HELLO)
    await time.advance(60_000)
    assert.deepEqual([sent.length, told], [1, ['greeted neighbour']])
    begin()
    links.down(PEER)
    await time.advance(60_000)
    assert.deepEqual([sent.length, told], [1, []])
  })

  it('answers a hello that is said again, since ours was lost, four times, and charges for more than eight', () => {
    for (let count = 1; count <= HELLOS_IN_MAX; count++) handshake.receive(booked, HELLO)
    assert.deepEqual(
      sent.map(({ heard }) => heard),
      [false, true, true, true],
    )
    assert.deepEqual(told, ['greeted neighbour'])
    for (const heard of [false, true]) handshake.receive(booked, { ...HELLO, heard })
    assert.deepEqual(told, ['greeted neighbour', 'charge flood', 'charge flood'])
    assert.equal(sent.length, HELLOS_MAX)
  })

  it('answers no hello that has heard ours, and nothing at first, as its own is said already', () => {
    handshake.receive(booked, HELLO)
    handshake.receive(booked, { ...HELLO, heard: true })
    assert.equal(sent.length, 1)
    handshake.receive(booked, HELLO)
    assert.equal(sent.length, 2)
  })

  it('charges no honest peer for what it said while this node, or both, stood still', () => {
    for (const [readsAt, peerReadsAt] of [
      [3_500, 0],
      [3_500, 3_500],
      [1_500, 3_900],
      [3_900, 2_500],
    ] as const) {
      begin()
      const [toUs, charged]: [HelloMessage[], string[]] = [[], []]
      const peer = new Handshake({
        ...{ links: new LinkBook(), timers: time, role: 'index', software: 'x', address: () => ADDRESS },
        send: (_, hello) => toUs.push(hello),
        drop: (_, why) => charged.push(`drop ${why}`),
        charge: (_, reason) => charged.push(`charge ${reason}`),
        mayBe: () => true,
        onGreeted: () => {},
      })
      const theirs = new LinkBook().up({ peer: PEER, host: '', port: 1, initiator: false, since: 0 }, false, 0)
      peer.greet(theirs)
      // Whoever stood still runs its timers before it reads what has come.
      const sayAgain = (end: Handshake, one: BookedLink, untilMs: number) => {
        for (let at = 1_000; at <= untilMs && one.hellosOut < HELLOS_MAX; at += 1_000) end.greet(one)
      }
      sayAgain(handshake, booked, readsAt)
      sayAgain(peer, theirs, peerReadsAt)
      for (let round = 0; round < 10; round++) {
        for (const hello of toUs.splice(0)) handshake.receive(booked, hello)
        for (const hello of sent.splice(0)) peer.receive(theirs, hello)
      }
      assert.deepEqual([charged, told], [[], ['greeted neighbour']])
    }
  })

  it('ends a link with a peer that the network admits as something else than it says', () => {
    handshake.receive(booked, { ...HELLO, role: 'bootstrap' })
    assert.deepEqual([told, booked.hello, booked.neighbour], [['drop malformed'], undefined, false])
  })

  it('ends a link with another version, and takes none for gossip that either side dialled for a short exchange', () => {
    handshake.receive(booked, { ...HELLO, version: WIRE_VERSION + 1 })
    assert.deepEqual([told, booked.hello, booked.neighbour], [['drop malformed'], undefined, false])
    begin()
    handshake.receive(booked, { ...HELLO, transient: true })
    assert.deepEqual([told, booked.neighbour], [['greeted other'], false])
    begin(true)
    handshake.receive(booked, HELLO)
    assert.deepEqual([told, booked.neighbour, sent[0]?.transient], [['greeted other'], false, true])
  })

  it('says hello no more once the node has stopped', async () => {
    handshake.stop()
    await time.advance(60_000)
    assert.deepEqual([sent.length, told], [1, []])
  })

  it('cuts the name of the software to what a hello may hold', () => {
    assert.equal(sent[0]?.software.length, 128)
  })
})
