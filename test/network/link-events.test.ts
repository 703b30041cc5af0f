import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { encodeWire } from '../../src/network/wire.ts'
import { signerOf } from '../events/samples.ts'
import { eventOf } from './gossip/gossip-at-the-door.ts'
import { BarePeer, LATENCY_MS, NodeParts } from './node-parts.ts'
import { OPEN_RULES } from './open-rules.ts'

const PING = { type: 'ping', seq: 7, belief: 'alive', incarnation: 1 } as const
const MALFORMED = Uint8Array.of(0xff, 0xff, 0xff)
/** Field 99 of a message, which no version has. */
const UNKNOWN = Uint8Array.of(0x9a, 0x06, 0x00)

describe('what the transport tells', () => {
  let node: NodeParts
  let changes: string[]
  beforeEach(async () => {
    node = new NodeParts()
    await node.start()
    changes = []
    node.linkEvents.onLinks(({ up, why }) => changes.push(up ? 'up' : `down ${why}`))
  })
  const bookOf = (peer: BarePeer) => node.parts.links.get(peer.id)

  describe('of a link', () => {
    afterEach(() => node.sound())

    it('is booked, told, and greeted', async () => {
      const peer = await node.peer(2, false)
      assert.deepEqual([bookOf(peer)?.transient, bookOf(peer)?.neighbour, changes], [false, false, ['up']])
      assert.equal(peer.got('hello').length, 1)
    })

    it('is told to whoever waits for it', async () => {
      const waiting = node.parts.links.wait(signerOf(2).id).promise
      await node.peer(2)
      assert.equal(await waiting, true)
    })

    it('ends it where the peer has misbehaved, and makes it again once that has worn off', async () => {
      node.parts.offences.charge(signerOf(2).id, 'equivocation')
      const peer = await node.peer(2, false)
      assert.deepEqual([bookOf(peer), changes, peer.lost, peer.heard], [undefined, [], ['remote'], []])
      await node.time.advance(60_000)
      await peer.link()
      assert.deepEqual([bookOf(peer) === undefined, changes], [false, ['up']])
    })

    it('takes the place of one whose end was not told', async () => {
      const peer = await node.peer(2)
      assert.equal(node.parts.gossip.view(peer.id), 'eager')
      node.linkEvents.linked({ peer: peer.id, host: '10.0.0.2', port: 2, initiator: false, since: 1 })
      assert.deepEqual(changes, ['up', 'down remote', 'up'])
      assert.deepEqual([bookOf(peer)?.neighbour, node.parts.gossip.view(peer.id)], [false, 'none'])
    })

    it('is for a short exchange only if this node dialled it for one', async () => {
      for (let number = 10; number < 18; number++) await node.peer(number)
      const one = new BarePeer(node, 2)
      void node.parts.dialer.connect(one.id, undefined, false)
      await node.time.advance(3 * LATENCY_MS)
      assert.equal(bookOf(one)?.transient, true)
      const other = new BarePeer(node, 3)
      // It dials as well, and is faster: it is its link.
      const linked = other.link()
      void node.parts.dialer.connect(other.id, undefined, false)
      await linked
      assert.deepEqual([bookOf(other)?.transient, bookOf(other)?.link.initiator], [false, false])
    })

    it('that is gone is told to gossip, and to whoever waits for an answer over it', async () => {
      const peer = await node.peer(2)
      const code = node.parts.messenger.request(peer.id, 'never', new Uint8Array()).then(
        () => 'ok',
        (error) => error.code,
      )
      await node.time.advance(LATENCY_MS)
      peer.transport.drop(node.self, 'stopped')
      await node.time.advance(LATENCY_MS)
      assert.equal(await code, 'unreachable')
      assert.deepEqual([changes, bookOf(peer), node.parts.gossip.view(peer.id)], [['up', 'down remote'], undefined, 'none'])
    })

    it('that is gone is told to nobody where there was none', () => {
      node.linkEvents.unlinked(signerOf(9).id, 'error')
      assert.deepEqual(changes, [])
    })

    it('that broke is a hint to look at the member next; one that was closed for a reason is none', async () => {
      const lost = [
        ['timeout', true],
        ['error', true],
        ['remote', true],
        ['stopped', false],
        ['backlog', false],
        ['full', false],
      ] as const
      for (const [why, isHint] of lost) assert.equal(await isProbedNext(why), isHint, why)
      assert.equal(await isProbedNext('remote', true), false, 'of a peer that dialled for a short exchange')
      assert.equal(await isProbedNext('timeout', true), true)
      assert.equal(await isProbedNext('timeout', false, false), false, 'of a node that has stopped')
    })

    /** True if, of many members, the one whose link was lost like this is the next that is pinged. */
    const isProbedNext = async (
      why: 'timeout' | 'error' | 'remote' | 'stopped' | 'backlog' | 'full',
      transient = false,
      isUp = true,
    ) => {
      node = new NodeParts()
      await node.start()
      const peer = await node.peer(2, false)
      await peer.greets(transient)
      node.remembers(peer.id, { host: '10.0.0.2', port: 2 })
      for (let number = 20; number < 40; number++) node.remembers(signerOf(number).id, { host: '10.0.0.2', port: 1 })
      node.isUp = isUp
      node.linkEvents.unlinked(peer.id, why)
      node.isUp = true
      node.dials.length = 0
      node.parts.toMembership.feed({ type: 'timer', timer: { name: 'probe' } })
      assert.equal(node.dials.length, 1)
      return node.dials[0]?.peer === peer.id
    }
  })

  describe('of a message', () => {
    afterEach(() => node.sound())

    it('is counted and dated, and dated as a use where it is one', async () => {
      const peer = await node.peer(2)
      const linkedAt = node.now
      await node.time.advance(1_000)
      await peer.says({ type: 'prune' })
      const heardAt = node.now - LATENCY_MS
      assert.deepEqual([bookOf(peer)?.messagesIn, bookOf(peer)?.heardAt], [2, heardAt])
      assert.ok((bookOf(peer)?.usedAt ?? heardAt) <= linkedAt)
      await peer.says(PING)
      assert.deepEqual([bookOf(peer)?.messagesIn, bookOf(peer)?.usedAt], [3, node.now - LATENCY_MS])
    })

    it('is dropped without a link, and before the start and after the end', async () => {
      node.linkEvents.message(signerOf(9).id, encodeWire(PING))
      const peer = await node.peer(2)
      node.isUp = false
      await peer.says(PING, MALFORMED)
      assert.deepEqual([bookOf(peer)?.messagesIn, peer.got('pong'), node.linkEvents.rejected], [1, [], 0])
    })

    it('is charged to the peer where nobody can read it, and not where this version does not know its type', async () => {
      const peer = await node.peer(2)
      const heardAt = bookOf(peer)?.heardAt
      await peer.says(UNKNOWN)
      assert.deepEqual([node.linkEvents.rejected, node.parts.offences.count], [1, 0])
      await peer.says(MALFORMED, MALFORMED)
      assert.deepEqual([node.linkEvents.rejected, node.parts.offences.count], [3, 2])
      assert.equal(bookOf(peer)?.heardAt, heardAt, 'it has said nothing')
      await peer.says(MALFORMED)
      assert.deepEqual([changes, peer.lost], [['up', 'down malformed'], ['remote']])
    })

    it('about life is answered before the peer has said who it is, and so is a request; gossip waits for that', async () => {
      const peer = await node.peer(2, false)
      node.parts.messenger.serve('echo', async (_, body) => body)
      const push = { type: 'push', events: [{ event: eventOf(peer.id, 1, { forged: true }), hops: 0 }] } as const
      await peer.says(PING, { type: 'request', id: 3, method: 'echo', body: Uint8Array.of(1) }, push)
      assert.deepEqual(
        [peer.got('pong'), peer.got('response').map(({ status }) => status)],
        [[{ type: 'pong', seq: 7 }], ['ok']],
      )
      assert.equal(node.parts.gossip.counts.rejected, 0)
      await peer.greets()
      await peer.says(push)
      assert.equal(node.parts.gossip.counts.rejected, 1)
    })

    it('of gossip is not taken over a link for a short exchange', async () => {
      const peer = await node.peer(2, false)
      await peer.greets(true)
      await peer.says({ type: 'push', events: [{ event: eventOf(peer.id, 1, { forged: true }), hops: 0 }] })
      assert.equal(node.parts.gossip.counts.rejected, 0)
    })

    it('is taken as what it is: a no, a question for another, an answer, a cancel', async () => {
      const peer = await node.peer(2)
      await peer.says({ type: 'ping-request', seq: 5, target: signerOf(9).id, belief: 'alive', incarnation: 1 })
      assert.deepEqual(peer.got('nack'), [{ type: 'nack', seq: 5 }])
      const request = node.parts.messenger.request(peer.id, 'what', new Uint8Array())
      await node.time.advance(2 * LATENCY_MS)
      await peer.says({ type: 'response', id: peer.got('request')[0]?.id ?? -1, status: 'ok', body: Uint8Array.of(4) })
      assert.deepEqual([...(await request)], [4])
      const released: (() => void)[] = []
      node.parts.messenger.serve('slow', () => new Promise((resolve) => released.push(() => resolve(new Uint8Array()))))
      await peer.says({ type: 'request', id: 8, method: 'slow', body: new Uint8Array() }, { type: 'cancel', id: 8 })
      released[0]?.()
      await node.time.advance(2 * LATENCY_MS)
      assert.deepEqual(peer.got('response'), [])
    })
  })

  it('of a refusal is told to whoever wants to know', async () => {
    const refused: unknown[] = []
    node = new NodeParts({ onRefused: (...told) => refused.push(told) })
    node.linkEvents.refused(signerOf(2).id, 'expired', 'peer')
    assert.deepEqual(refused, [[signerOf(2).id, 'expired', 'peer']])
    new NodeParts().linkEvents.refused(signerOf(2).id, 'expired', 'us')
    node.sound()
  })

  it('is told to listeners until they leave, and a fault in one of them is a notice, and no loss for the others', async () => {
    const [told, later]: string[][] = [[], []]
    const listener = ({ up }: { up: boolean }) => told?.push(up ? 'up' : 'down')
    const leaves = [node.linkEvents.onLinks(listener), node.linkEvents.onLinks(listener)]
    node.linkEvents.onLinks(() => {
      throw new Error('a fault of a listener')
    })
    node.linkEvents.onLinks(({ up }) => later?.push(up ? 'up' : 'down'))
    const peer = await node.peer(2)
    leaves[0]?.()
    leaves[0]?.()
    peer.transport.drop(node.self, 'stopped')
    await node.time.advance(LATENCY_MS)
    assert.deepEqual(
      [told, later],
      [
        ['up', 'up', 'down'],
        ['up', 'down'],
      ],
    )
    assert.equal(node.notices.length, 2)
    assert.match(node.notices[0] ?? '', /a fault of a listener/)
  })

  it('of a link with somebody who is no member of that role ends in the handshake', async () => {
    const stranger: NodeId = signerOf(2).id
    node = new NodeParts({ rules: { ...OPEN_RULES, mayBe: (peer) => peer !== stranger } })
    await node.start()
    const peer = await node.peer(2)
    assert.deepEqual([peer.lost, node.parts.links.get(stranger)], [['remote'], undefined])
    node.sound()
  })
})
