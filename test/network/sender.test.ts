import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { DIALS_MAX, Dialer } from '../../src/network/dialer.ts'
import { LinkBook } from '../../src/network/link-book.ts'
import type { Effect } from '../../src/network/protocol.ts'
import { isUse, Sender } from '../../src/network/sender.ts'
import type { Endpoint } from '../../src/network/transport.ts'
import {
  decodeWire,
  type GossipMessage,
  type MembershipMessage,
  WIRE_VERSION,
  type WireMessage,
} from '../../src/network/wire.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { eventOf } from './gossip/gossip-at-the-door.ts'

type Send = Extract<Effect<GossipMessage | MembershipMessage>, { do: 'send' }>

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const PEER = peerOf(1)
const ENDPOINT = { host: '10.0.0.1', port: 7 }
const PRUNE = { type: 'prune' } as const
const PONG = { type: 'pong', seq: 1 } as const
const BODY = new Uint8Array()

/** One of each kind, whether it is a use of its link, and whether it overtakes others. */
const MESSAGES: readonly [message: WireMessage, isUse: boolean, isUrgent: boolean][] = [
  [
    {
      ...{ type: 'hello', version: WIRE_VERSION, role: 'index', host: '', port: 0, dhtPort: 0, software: '' },
      ...{ transient: false, heard: false },
    },
    ...([false, false] as const),
  ],
  [{ type: 'push', events: [{ event: eventOf(PEER, 1), hops: 0 }] }, true, false],
  [{ type: 'have', names: [] }, false, false],
  [{ type: 'graft', names: [] }, false, false],
  [PRUNE, false, false],
  [{ type: 'beacon', root: PEER, client: false, distance: 0, beat: 0, parent: false }, false, false],
  [{ type: 'summary', salt: 1, buckets: new Uint8Array(384) }, false, false],
  [{ type: 'vector', buckets: new Uint8Array(8), heads: [], reply: false }, false, false],
  [{ type: 'fetch', id: 1, ranges: [] }, false, false],
  [{ type: 'supply', id: 1, events: [], last: true }, false, false],
  [{ type: 'ping', seq: 1, belief: 'alive', incarnation: 1 }, true, true],
  [PONG, true, true],
  [{ type: 'nack', seq: 1 }, true, true],
  [{ type: 'ping-request', seq: 1, target: PEER, belief: 'alive', incarnation: 1 }, true, true],
  [{ type: 'request', id: 1, method: 'm', body: BODY }, true, false],
  [{ type: 'response', id: 1, status: 'ok', body: BODY }, true, false],
  [{ type: 'cancel', id: 1 }, false, false],
]

describe('sender', () => {
  let time: VirtualTime
  let links: LinkBook
  let sender: Sender
  let sent: { to: NodeId; type: string; urgent: boolean | undefined }[]
  let dials: { endpoint: Endpoint | undefined; end: (linked: boolean) => void }[]
  let failed: string[]
  let takes: boolean
  let shunned: NodeId | undefined
  beforeEach(() => {
    time = new VirtualTime(0)
    links = new LinkBook()
    ;[sent, dials, failed, takes, shunned] = [[], [], [], true, undefined]
    const dialer = new Dialer({
      ...{ links, timers: time, onNotice: (text) => assert.fail(text) },
      transport: { dial: (_, endpoint) => new Promise((end) => dials.push({ endpoint, end })) },
    })
    sender = new Sender({
      transport: {
        send(to, bytes, urgent) {
          sent.push({ to, type: decodeWire(bytes).type, urgent })
          return takes
        },
      },
      ...{ links, dialer, now: () => time.now(), mayDial: (peer) => peer !== shunned, guarded: (run) => run() },
    })
  })
  const comesUp = () => {
    links.up({ peer: PEER, ...ENDPOINT, initiator: true, since: 0 }, false, time.now())
    links.settle(PEER, true)
  }
  const deliver = (more: Partial<Send> = {}) =>
    sender.deliver({ do: 'send', to: PEER, message: PRUNE, ...more }, ({ to, message }, why) =>
      failed.push(`${to === PEER ? message.type : '?'} ${why}`),
    )

  it('sends over a link, and counts what it sends over it; without one nothing leaves', () => {
    assert.equal(sender.send(PEER, PRUNE), false)
    comesUp()
    assert.equal(sender.send(PEER, PRUNE), true)
    takes = false
    assert.equal(sender.send(PEER, PRUNE), false)
    assert.deepEqual([sent.length, links.get(PEER)?.messagesOut], [2, 2])
  })

  it('lets what is about life overtake the rest, unless it is told otherwise', () => {
    comesUp()
    for (const [message, , isUrgent] of MESSAGES) {
      sender.send(PEER, message)
      assert.deepEqual(sent.at(-1), { to: PEER, type: message.type, urgent: isUrgent })
    }
    sender.send(PEER, PRUNE, true)
    sender.send(PEER, PONG, false)
    deliver({ urgent: true })
    assert.deepEqual(
      sent.slice(-3).map(({ urgent }) => urgent),
      [true, false, true],
    )
  })

  it('keeps a link open by what is a use of it', async () => {
    comesUp()
    for (const [message, isItsUse] of MESSAGES) {
      await time.advance(1)
      const before = links.get(PEER)?.usedAt
      sender.send(PEER, message)
      assert.equal(isUse(message), isItsUse, message.type)
      assert.equal(links.get(PEER)?.usedAt, isItsUse ? time.now() : before, message.type)
    }
  })

  it('tells what did not leave: for want of a link that nobody wants made, or as the peer takes nothing', () => {
    deliver()
    comesUp()
    deliver()
    takes = false
    deliver()
    assert.deepEqual([failed, dials.length, sent.length], [['prune no-link', 'prune queue-full'], 0, 2])
  })

  it('makes the link that is wanted, to an endpoint or by key alone, and sends then', async () => {
    deliver({ dial: ENDPOINT })
    assert.deepEqual([dials.map(({ endpoint }) => endpoint), sent], [[ENDPOINT], []])
    comesUp()
    await time.advance(0)
    assert.deepEqual([sent.length, failed], [1, []])
    links.down(PEER)
    deliver({ dial: 'by-key' })
    assert.equal(dials.at(-1)?.endpoint, undefined)
    assert.equal(dials.length, 2)
  })

  it('tells when the dial was in vain, or its link is gone or full by then', async () => {
    deliver({ dial: ENDPOINT })
    dials[0]?.end(false)
    await time.advance(0)
    deliver({ dial: ENDPOINT })
    comesUp()
    links.down(PEER)
    await time.advance(0)
    takes = false
    deliver({ dial: ENDPOINT })
    comesUp()
    await time.advance(0)
    assert.deepEqual(failed, ['prune unreachable', 'prune no-link', 'prune no-link'])
  })

  it('dials nobody whom it may not, and nobody beyond the bound of dials', async () => {
    shunned = PEER
    assert.equal(await sender.connect(PEER, ENDPOINT), 'not-dialled')
    deliver({ dial: ENDPOINT })
    await time.advance(0)
    assert.deepEqual([failed, dials.length], [['prune not-dialled'], 0])
    for (let number = 2; number < 2 + DIALS_MAX; number++) void sender.connect(peerOf(number), ENDPOINT)
    shunned = undefined
    deliver({ dial: ENDPOINT })
    await time.advance(0)
    assert.deepEqual([failed.at(-1), failed.length, dials.length], ['prune not-dialled', 2, DIALS_MAX])
  })

  it('has a link last only where that is wanted', async () => {
    for (let number = 10; number < 18; number++)
      links.up({ peer: peerOf(number), ...ENDPOINT, initiator: true, since: 0 }, false, 0).neighbour = true
    const dialer = new Dialer({ links, timers: time, onNotice: () => {}, transport: { dial: async () => false } })
    const one = new Sender({
      ...{ links, dialer, now: () => 0, mayDial: () => true, guarded: (run) => run(), transport: { send: () => true } },
    })
    void one.connect(PEER, ENDPOINT)
    void one.connect(peerOf(2), ENDPOINT, true)
    assert.deepEqual([dialer.takeTransient(PEER), dialer.takeTransient(peerOf(2))], [true, false])
  })
})
