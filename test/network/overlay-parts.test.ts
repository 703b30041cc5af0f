import assert from 'node:assert/strict'
import { type Appender, type Event, type InfoHash, LogError, type MemberAddress } from '../../src/events/index.ts'
import { BEACON_EVERY_MS } from '../../src/network/gossip/spanning-tree.ts'
import { QUARANTINE_EVERY_MS } from '../../src/network/misconduct.ts'
import type { OverlayOptions } from '../../src/network/overlay-options.ts'
import { signerOf } from '../events/samples.ts'
import { authorOf, eventOf } from './gossip/gossip-at-the-door.ts'
import { LATENCY_MS, NodeParts } from './node-parts.ts'
import { OPEN_RULES } from './open-rules.ts'

const PEER = signerOf(2).id

describe('parts of an overlay', () => {
  const startedWith = async (options: Partial<OverlayOptions> = {}) => {
    const node = new NodeParts(options)
    await node.start()
    return node
  }
  const linkOf = ({ parts }: NodeParts, number: number) => parts.links.get(signerOf(number).id)

  describe('where a member is dialled', () => {
    const dialledAt = async (address: Pick<MemberAddress, 'host' | 'port'> | undefined) => {
      const node = await startedWith()
      if (address !== undefined) node.remembers(PEER, address)
      const code = await node.time.wait(
        node.parts.messenger.request(PEER, 'x', new Uint8Array()).then(
          () => 'ok',
          (error) => error.code,
        ),
      )
      assert.equal(code, 'unreachable')
      node.sound()
      return node.dials
    }

    it('is the address that it has said', async () => {
      assert.deepEqual(await dialledAt({ host: '10.0.0.9', port: 1 }), [
        { peer: PEER, endpoint: { host: '10.0.0.9', port: 1 } },
      ])
    })

    it('is by its key alone where it has said none, or is not known', async () => {
      const byKey = [{ peer: PEER, endpoint: undefined }]
      assert.deepEqual(await dialledAt({ host: '', port: 0 }), byKey)
      assert.deepEqual(await dialledAt(undefined), byKey)
    })
  })

  it('dial neither the node itself, nor who is refused, nor anybody before the start and after the end', async () => {
    const node = await startedWith()
    node.parts.offences.charge(PEER, 'equivocation')
    const failed = async (to: typeof PEER) =>
      node.time.wait(
        node.parts.messenger.request(to, 'x', new Uint8Array()).then(
          () => 'ok',
          (error) => error.code,
        ),
      )
    assert.deepEqual([await failed(PEER), await failed(node.self)], ['unreachable', 'unreachable'])
    node.isUp = false
    assert.equal(await failed(signerOf(3).id), 'unreachable')
    assert.deepEqual(node.dials, [])
    node.isUp = true
    assert.equal(await failed(signerOf(3).id), 'unreachable')
    assert.equal(node.dials.length, 1)
  })

  describe('the address that a node tells', () => {
    const told = async (advertise?: OverlayOptions['advertise']) => {
      const node = await startedWith(advertise === undefined ? {} : { advertise })
      const [hello] = (await node.peer(2, false)).got('hello')
      assert.ok(hello)
      const { host, port, dhtPort, role, software } = hello
      assert.deepEqual([role, software], ['index', 'test'])
      return { host, port, dhtPort }
    }

    it('is that of its transport', async () => {
      assert.deepEqual(await told(), { host: '10.0.0.1', port: 1, dhtPort: 0 })
    })

    it('is what it is to advertise, as far as that goes', async () => {
      assert.deepEqual(await told({ dhtPort: 7 }), { host: '10.0.0.1', port: 1, dhtPort: 7 })
      assert.deepEqual(await told(() => ({ host: '10.9.9.9', port: 4 })), { host: '10.9.9.9', port: 4, dhtPort: 0 })
    })
  })

  it('tell what is thrown as a fault of this node', () => {
    const node = new NodeParts()
    node.parts.guarded(() => {
      throw new Error('of ours')
    })
    node.parts.guarded(() => {
      throw 'a text'
    })
    assert.match(node.notices[0] ?? '', /^a fault in the network layer: Error: of ours/)
    assert.equal(node.notices[1], 'a fault in the network layer: a text')
  })

  describe('an event that the log does not take', () => {
    const full: Appender = {
      append: async () => {
        throw new LogError({ code: 'LOG_WRITE_FAILED', reason: 'No space left on device' })
      },
    }

    /** A node whose log takes nothing until it is told to. */
    const nodeWithFullLog = async () => {
      const working = new NodeParts()
      const state = { isFull: true }
      const appender: Appender = { append: (...drafts) => (state.isFull ? full : working.log).append(...drafts) }
      return { node: await startedWith({ appender }), state, told: (kind: Event['kind']) => working.ownEvents(kind) }
    }

    it('is counted into the next entry, if it is about an offence', async () => {
      const { node, state, told } = await nodeWithFullLog()
      node.parts.offences.charge(PEER, 'clock-jump')
      node.parts.offences.charge(PEER, 'clock-jump')
      await node.parts.bridge.settled()
      state.isFull = false
      node.parts.offences.tell()
      await node.parts.bridge.settled()
      const entries = await told('event.quarantined')
      assert.deepEqual(
        entries.map((event) => 'count' in event && event.count),
        [2],
      )
      node.sound()
    })

    it('is said again, if it is a word about a member, and has fetching paused', async () => {
      const { node, state, told } = await nodeWithFullLog()
      const peer = await node.peer(2)
      node.parts.toMembership.feed({ type: 'start' })
      await node.parts.bridge.settled()
      const lacking = [{ author: authorOf(1), authorSeq: 5 }]
      const vector = { type: 'vector', buckets: new Uint8Array(8), heads: lacking, reply: true } as const
      await peer.says(vector)
      assert.deepEqual(peer.got('fetch'), [])
      state.isFull = false
      await node.time.advance(1_000)
      await peer.says(vector)
      assert.equal(peer.got('fetch').length, 1, 'the pause is over')
      assert.equal((await told('member.alive')).length, 1)
      node.sound()
    })
  })

  it('count, tell and drop for what gossip charges', async () => {
    const node = await startedWith()
    const peer = await node.peer(2)
    const forged = eventOf(authorOf(1), 1, { forged: true })
    await peer.says({ type: 'push', events: [forged, forged, forged].map((event) => ({ event, hops: 0 })) })
    await node.parts.bridge.settled()
    const [entry] = await node.ownEvents('event.quarantined')
    assert.ok(entry?.kind === 'event.quarantined')
    assert.deepEqual([entry.sender, entry.reason, entry.author, entry.authorSeq], [PEER, 'bad-signature', authorOf(1), 1])
    assert.deepEqual([node.parts.offences.count, peer.lost], [3, ['remote']])
    node.sound()
  })

  it('put what gossip has taken into the log, tell it, and supply it to who asks', async () => {
    const node = await startedWith()
    const peer = await node.peer(2)
    const [envelope] = await node.log.append([
      { event: { kind: 'piece.judged', subject: PEER, infoHash: '1'.repeat(40) as InfoHash, good: [], bad: [] } },
    ])
    assert.ok(envelope)
    node.parts.bridge.publish([envelope])
    await node.parts.bridge.settled()
    await node.time.advance(LATENCY_MS)
    const [own] = peer.got('push').flatMap(({ events }) => events)
    assert.ok(own)
    await peer.says({ type: 'fetch', id: 4, ranges: [{ author: node.self, from: 1, to: 1 }] })
    const [supply] = peer.got('supply')
    assert.deepEqual([supply?.id, supply?.events.map(({ body }) => [...body])], [4, [[...own.event.body]]])
    node.sound()
  })

  it('look for another root of the tree when a member is gone that is the root', async () => {
    // A root is the lowest of all ids.
    const node = await startedWith()
    const peer = await node.peer(2)
    const root = '0'.repeat(64) as typeof PEER
    node.remembers(root, { host: '10.0.0.9', port: 1 })
    await peer.says({ type: 'beacon', root, client: false, distance: 0, beat: 1, parent: false })
    assert.equal(peer.got('beacon').at(-1)?.root, root)
    node.parts.toMembership.feed({
      ...{ type: 'stored', author: root, lamport: 5 },
      event: { kind: 'member.left', subject: root, incarnation: 1, role: 'index', host: '10.0.0.9', port: 1, dhtPort: 0 },
    })
    await node.time.advance(LATENCY_MS)
    assert.equal(peer.got('beacon').at(-1)?.root, node.self)
    node.sound()
  })

  it('hear a member on its link, which is stronger than what others say of it', async () => {
    const node = await startedWith()
    const peer = await node.peer(2)
    node.remembers(peer.id, { host: '10.0.0.2', port: 2 }, 'dead')
    assert.equal(node.parts.membership.isSeenAlive(peer.id, node.now), true)
    const word = { host: '10.0.0.9', port: 1 }
    node.remembers(signerOf(3).id, word, 'dead')
    assert.equal(node.parts.membership.isSeenAlive(signerOf(3).id, node.now), false)
  })

  it('take a peer for gossip and for a member once it has greeted, and only as what it may be', async () => {
    const node = await startedWith({ rules: { ...OPEN_RULES, mayBe: (id) => id !== signerOf(3).id } })
    const peer = await node.peer(2, false)
    node.remembers(peer.id, { host: '10.0.0.2', port: 2 }, 'dead')
    assert.deepEqual([node.parts.gossip.view(peer.id), peer.got('ping')], ['none', []])
    await peer.greets()
    assert.equal(node.parts.gossip.view(peer.id), 'eager')
    assert.equal(peer.got('ping')[0]?.belief, 'dead', 'it is told what is said of it')
    const short = await node.peer(4, false)
    await short.greets(true)
    assert.equal(node.parts.gossip.view(short.id), 'none')
    await node.peer(3)
    assert.equal(linkOf(node, 3), undefined)
    node.remembers(signerOf(3).id, { host: '10.0.0.2', port: 3 })
    assert.equal(node.parts.membership.member(signerOf(3).id, node.now), undefined)
    node.sound()
  })

  it('charge a peer that does not stop greeting', async () => {
    const node = await startedWith()
    const peer = await node.peer(2)
    for (let count = 0; count < 8; count++) await peer.greets()
    assert.equal(node.parts.offences.count, 1)
    await node.parts.bridge.settled()
    const [entry] = await node.ownEvents('event.quarantined')
    assert.ok(entry?.kind === 'event.quarantined' && entry.reason === 'flood')
  })

  it('keep links to members, by anchors first, never to the node itself, and close those that are idle', async () => {
    const anchor = signerOf(12).id
    const node = await startedWith({ anchors: [anchor] })
    for (const number of [10, 11, 12]) node.remembers(signerOf(number).id, { host: '10.0.0.2', port: number })
    node.parts.toMembership.feed({ type: 'start' })
    await node.parts.bridge.settled()
    node.parts.maintenance.start()
    assert.deepEqual(node.dials, [{ peer: anchor, endpoint: { host: '10.0.0.2', port: 12 } }])
    await node.time.advance(20_000)
    assert.ok(node.dials.every(({ peer }) => peer !== node.self))
    node.parts.maintenance.stop()
    for (let number = 20; number < 28; number++) await node.peer(number)
    const short = await node.peer(30, false)
    const booked = node.parts.links.up({ peer: short.id, host: '', port: 1, initiator: true, since: 0 }, true, node.now)
    assert.equal(booked.transient, true)
    await node.time.advance(5_001)
    node.parts.maintenance.start()
    assert.equal(linkOf(node, 30), undefined)
    node.parts.maintenance.stop()
  })

  it('set timers of both protocols and of the offences on the clock they are given', async () => {
    const node = await startedWith()
    const peer = await node.peer(2)
    node.parts.toGossip.feed({ type: 'start' })
    node.parts.offences.start()
    for (let count = 0; count < 2; count++) node.parts.offences.charge(signerOf(5).id, 'clock-jump')
    const beacons = peer.got('beacon').length
    await node.time.advance(BEACON_EVERY_MS + LATENCY_MS)
    assert.ok(peer.got('beacon').length > beacons)
    assert.ok(peer.got('summary').length > 0)
    await node.time.advance(QUARANTINE_EVERY_MS)
    await node.parts.bridge.settled()
    assert.equal((await node.ownEvents('event.quarantined')).length, 2)
    for (const part of [node.parts.toGossip, node.parts.offences]) part.stop()
    node.sound()
  })
})
