import assert from 'node:assert/strict'
import type { Event, EventKind, NodeId, SignedEvent } from '../../src/events/index.ts'
import { type NetworkRules, RequestError } from '../../src/network/index.ts'
import { decodeWire, EXCHANGE_BODY_BYTES_MAX, encodeWire } from '../../src/network/wire.ts'
import { allAlive, allBelieve, holdTheSame } from '../sim/laws.ts'
import { randomFrom } from '../sim/random.ts'
import { SIM_LAMPORT_MAX, type SimNode, Simulation } from '../sim/simulation.ts'
import { STRANGER_ID, Stranger } from '../sim/stranger.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (body: Uint8Array): string => new TextDecoder().decode(body)

async function eventsOf(node: SimNode, ...kinds: EventKind[]): Promise<Event[]> {
  const events: Event[] = []
  for await (const { event } of node.log.read({ kinds })) events.push(event)
  return events
}

describe('overlay', () => {
  let sim: Simulation
  const started = async (nodes: number, options = {}, rules: Partial<NetworkRules> = {}) => {
    sim = new Simulation({ seed: 1, nodes, latencyMsMin: 10, latencyMsMax: 10, ...options })
    sim.rules = { ...sim.rules, ...rules }
    await sim.startAll(100)
    assert.notEqual(await sim.time.until(() => allAlive(sim), 10_000), undefined)
  }
  afterEach(async () => {
    assert.deepEqual(sim.notices, [])
    await sim[Symbol.asyncDispose]()
  })

  const fails = async (request: Promise<Uint8Array>, code: string, message = /./) => {
    const caught = await sim.time.wait(
      request.then(
        () => undefined,
        (error) => error,
      ),
    )
    assert.ok(caught instanceof RequestError)
    assert.equal(caught.code, code)
    assert.match(caught.message, message)
  }

  describe('requests', () => {
    it('brings a request to the named method and its answer back', async () => {
      await started(3)
      sim.at(2).overlay.serve('shout', async (from, body) => bytes(`${from === sim.at(0).id} ${text(body).toUpperCase()}`))
      assert.equal(text(await sim.time.wait(sim.at(0).overlay.request(sim.at(2).id, 'shout', bytes('hello')))), 'true HELLO')
    })

    it('links to a member that it has no link with', async () => {
      await started(3, { discoveredLinks: 1 })
      const [a, b] = [sim.at(0), sim.at(2)]
      a.run?.transport.drop(b.id, 'stopped')
      b.overlay.serve('echo', async (_, body) => body)
      assert.equal(text(await sim.time.wait(a.overlay.request(b.id, 'echo', bytes('x')))), 'x')
    })

    it('carries bodies of the longest size and refuses longer ones, both ways', async () => {
      await started(2)
      const [a, b] = [sim.at(0), sim.at(1)]
      b.overlay.serve('echo', async (_, body) => body)
      b.overlay.serve('much', async () => new Uint8Array(EXCHANGE_BODY_BYTES_MAX + 1))
      const body = new Uint8Array(EXCHANGE_BODY_BYTES_MAX).fill(7)
      assert.deepEqual(Uint8Array.from(await sim.time.wait(a.overlay.request(b.id, 'echo', body))), body)
      await fails(a.overlay.request(b.id, 'echo', new Uint8Array(EXCHANGE_BODY_BYTES_MAX + 1)), 'refused', /limit/)
      await fails(a.overlay.request(b.id, 'much', bytes('')), 'refused', /too long/)
    })

    it('says why there is no answer: no such method, refused, no such node, no time left, given up', async () => {
      await started(2)
      const [a, b] = [sim.at(0), sim.at(1)]
      b.overlay.serve('no', async () => {
        throw new Error('not today')
      })
      b.overlay.serve('never', () => new Promise(() => {}))
      await fails(a.overlay.request(b.id, 'nothing', bytes('')), 'unknown-method')
      await fails(a.overlay.request(b.id, 'no', bytes('')), 'refused', /not today/)
      await fails(a.overlay.request('0'.repeat(64) as NodeId, 'no', bytes('')), 'unreachable')
      const before = sim.time.now()
      await fails(a.overlay.request(b.id, 'never', bytes(''), { timeoutMs: 500 }), 'timeout')
      assert.equal(sim.time.now() - before, 500)
      const giveUp = new AbortController()
      const request = a.overlay.request(b.id, 'never', bytes(''), { signal: giveUp.signal })
      sim.time.after(100, () => giveUp.abort())
      await fails(request, 'aborted')
    })

    it('answers no more at once than its bound, and again when there is room', async () => {
      await started(2)
      const [a, b] = [sim.at(0), sim.at(1)]
      const release: (() => void)[] = []
      b.overlay.serve('slow', () => new Promise((resolve) => release.push(() => resolve(bytes('done')))))
      const requests = Array.from({ length: 40 }, () =>
        a.overlay.request(b.id, 'slow', bytes('')).then(text, (error) => error.code),
      )
      await sim.time.advance(100)
      for (const run of release) run()
      const answers = await sim.time.wait(Promise.all(requests))
      assert.equal(answers.filter((answer) => answer === 'done').length, 32)
      assert.equal(answers.filter((answer) => answer === 'overloaded').length, 8)
      b.overlay.serve('slow', async () => bytes('again'))
      assert.equal(text(await sim.time.wait(a.overlay.request(b.id, 'slow', bytes('')))), 'again')
    })

    it('fails at once when the link is lost before the answer', async () => {
      await started(2, { discoveredLinks: 1 })
      const [a, b] = [sim.at(0), sim.at(1)]
      b.overlay.serve('never', () => new Promise(() => {}))
      const request = a.overlay.request(b.id, 'never', bytes(''))
      sim.time.after(100, () => a.run?.transport.drop(b.id, 'error'))
      const before = sim.time.now()
      await fails(request, 'unreachable')
      assert.ok(sim.time.now() - before <= 101)
    })
  })

  describe('gossip', () => {
    it('brings an event to every log, in well under a second', async () => {
      await started(5)
      await sim.publish(sim.at(0))
      const took = await sim.time.until(
        () => sim.running.every(({ log }) => log.versionVector().get(sim.at(0).id) === 2),
        5_000,
        10,
      )
      assert.ok(took !== undefined && took <= 200, `${took} ms`)
    })

    it('brings everything to a node that was away, also what it missed of its own past', async () => {
      await started(4)
      await sim.stop(sim.at(3))
      // More than one fetch brings, and faster than the broadcast lets one author talk.
      for (let count = 0; count < 5_000; count += 1_000) {
        await Promise.all(Array.from({ length: 1_000 }, () => sim.publish(sim.at(0))))
        await sim.time.advance(200)
      }
      await sim.start(sim.at(3))
      const took = await sim.time.until(() => holdTheSame(sim), 10_000)
      assert.ok(took !== undefined && took <= 3_000, `${took} ms`)
    })

    it('keeps and passes on an event of a kind it does not know', async () => {
      await started(3)
      await sim.publish(sim.at(0), { kind: 'unknown', number: 999, payload: Uint8Array.of(1, 2, 3) })
      await sim.time.advance(1_000)
      assert.ok(sim.running.every(({ log }) => log.versionVector().get(sim.at(0).id) === 2))
    })

    it('passes local events to nobody', async () => {
      await started(2)
      await sim.at(0).log.append([{ event: { kind: 'node.stopped', reason: 'test' } }])
      await sim.time.advance(20_000)
      assert.deepEqual(await eventsOf(sim.at(1), 'node.stopped'), [])
    })
  })

  describe('membership', () => {
    it('says goodbye when it stops, and the others know at once', async () => {
      await started(4)
      await sim.stop(sim.at(3))
      assert.notEqual(await sim.time.until(() => allBelieve(sim, sim.at(3), 'left'), 1_000), undefined)
    })

    it('shows a client every member, and members no client', async () => {
      await started(5, { clients: 2 })
      assert.deepEqual(
        sim
          .at(4)
          .overlay.members()
          .map(({ id }) => id)
          .sort(),
        [0, 1, 2].map((index) => sim.at(index).id).sort(),
      )
      assert.ok(
        sim
          .at(0)
          .overlay.members()
          .every(({ role }) => role !== 'client'),
      )
    })

    it('probes each member in each round, whatever short links are closed meanwhile', async () => {
      await started(24)
      await sim.time.advance(30_000)
      const pinged = new Set<string>()
      sim.network.options.onMessage = (from, to, bytes) => {
        if (from === sim.at(3).id && decodeWire(bytes).type === 'ping') pinged.add(to)
      }
      // Two rounds of 23 members, so that a whole one is among them.
      await sim.time.advance(46_000)
      assert.equal(pinged.size, 23)
    })

    it('finds its way back by the members it remembers when discovery finds nobody', async () => {
      await started(4, { discoveredLinks: 3 })
      const node = sim.at(3)
      const members = node.overlay
        .members()
        .map(({ id, role, address, state, incarnation }) => ({ id, role, ...address, state, incarnation }))
      sim.crash(node)
      sim.network.options.discoveredLinks = 0
      await sim.time.advance(30_000)
      await sim.start(node, { members })
      assert.notEqual(await sim.time.until(() => allBelieve(sim, node, 'alive'), 10_000), undefined)
    })
  })

  describe('strangers', () => {
    it('drops a peer that sends garbage, says so in the log, and lets it in again only later', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      assert.equal(await stranger.link(sim.at(0)), true)
      for (let count = 0; count < 3; count++) stranger.sendBytes(sim.at(0), Uint8Array.of(0xff, 0xff, 0xff))
      await sim.time.advance(100)
      assert.equal(stranger.isLinked(sim.at(0)), false)
      const [entry] = await eventsOf(sim.at(0), 'event.quarantined')
      assert.ok(entry?.kind === 'event.quarantined')
      assert.equal(entry.sender, stranger.id)
      assert.equal(entry.reason, 'malformed')
      await stranger.link(sim.at(0))
      await sim.time.advance(100)
      assert.equal(stranger.isLinked(sim.at(0)), false)
      await sim.time.advance(60_000)
      await stranger.link(sim.at(0))
      await sim.time.advance(100)
      assert.equal(stranger.isLinked(sim.at(0)), true)
    })

    const forged = (event: SignedEvent): SignedEvent => ({ ...event, signature: event.signature.map((byte) => byte ^ 1) })

    it('drops who says it is what its credential is not for', async () => {
      await started(2, {}, { mayBe: (node, role) => node !== STRANGER_ID || role === 'client' })
      const stranger = new Stranger(sim)
      // It greets as an index node.
      await stranger.link(sim.at(0))
      await sim.time.advance(100)
      assert.deepEqual(stranger.lost, ['remote'])
    })

    for (const ruling of ['defer', 'refuse'] as const)
      it(`keeps no event that the network's rules ${ruling}, and whoever passes it on pays nothing`, async () => {
        await started(2, {}, { judge: ({ author }) => (author === STRANGER_ID ? ruling : 'take') })
        const stranger = new Stranger(sim)
        await stranger.link(sim.at(0))
        for (let seq = 1; seq <= 20; seq++)
          stranger.send(sim.at(0), { type: 'push', events: [{ event: stranger.event(seq), hops: 0 }] })
        await sim.time.advance(1_000)
        assert.equal(sim.at(0).log.versionVector().get(stranger.id), undefined)
        assert.equal(stranger.isLinked(sim.at(0)), true)
        assert.deepEqual(await eventsOf(sim.at(0), 'event.quarantined'), [])
      })

    it('stores no forged event, and drops who sends them', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      await stranger.link(sim.at(0))
      for (let seq = 1; seq <= 3; seq++) {
        stranger.send(sim.at(0), { type: 'push', events: [{ event: forged(stranger.event(seq)), hops: 0 }] })
      }
      await sim.time.advance(1_000)
      assert.equal(sim.at(0).log.versionVector().get(stranger.id), undefined)
      assert.equal(stranger.isLinked(sim.at(0)), false)
      assert.equal(sim.at(0).overlay.status().rejected, 3)
    })

    it('takes no gossip from a peer that has not said who it is', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      await stranger.link(sim.at(0), false)
      const push = () => stranger.send(sim.at(0), { type: 'push', events: [{ event: stranger.event(1), hops: 0 }] })
      push()
      await sim.time.advance(1_000)
      assert.equal(sim.at(0).log.versionVector().get(stranger.id), undefined)
      await stranger.link(sim.at(0))
      push()
      await sim.time.advance(1_000)
      assert.equal(sim.at(0).log.versionVector().get(stranger.id), 1)
    })

    it('does not let a stamp from the far future move its clock', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      await stranger.link(sim.at(0))
      const before = sim.at(0).log.lamport
      stranger.send(sim.at(0), {
        type: 'push',
        events: [{ event: stranger.event(1, SIM_LAMPORT_MAX + 1), hops: 0 }],
      })
      await sim.time.advance(1_000)
      assert.ok(sim.at(0).log.lamport < before + 10)
      const [entry] = await eventsOf(sim.at(0), 'event.quarantined')
      assert.ok(entry?.kind === 'event.quarantined' && entry.reason === 'clock-jump')
    })

    it('takes no event whose address is none, hands it to nobody, and holds it against who sent it', async () => {
      await started(3)
      const stranger = new Stranger(sim)
      await stranger.link(sim.at(0))
      const said = { kind: 'member.alive', subject: stranger.id, incarnation: 1, role: 'index', dhtPort: 0 } as const
      const bad = [
        { host: 'victim.example', port: 53 },
        { host: '255.255.255.255', port: 53 },
        { host: '10.0.0.1', port: 0 },
      ]
      for (const [at, address] of bad.entries()) {
        const event = stranger.event(at + 1, at + 1, { ...said, ...address })
        stranger.send(sim.at(0), { type: 'push', events: [{ event, hops: 0 }] })
      }
      await sim.time.advance(20_000)
      for (const node of sim.nodes) assert.equal(node.log.versionVector().get(stranger.id), undefined)
      assert.equal(stranger.isLinked(sim.at(0)), false)
      for (const node of sim.nodes) assert.equal(node.overlay.status().rejected, node === sim.at(0) ? 3 : 0)
      const [entry] = await eventsOf(sim.at(0), 'event.quarantined')
      assert.ok(entry?.kind === 'event.quarantined' && entry.reason === 'malformed')
      assert.ok(allAlive(sim))
    })

    it('takes no local event of somebody else', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      await stranger.link(sim.at(0))
      const event = stranger.event(1, 1, { kind: 'node.stopped', reason: 'x' }, 'local')
      stranger.send(sim.at(0), { type: 'push', events: [{ event, hops: 0 }] })
      await sim.time.advance(1_000)
      assert.deepEqual(await eventsOf(sim.at(0), 'node.stopped'), [])
    })

    it('writes few entries about many offences', async () => {
      await started(2)
      const stranger = new Stranger(sim)
      for (let round = 0; round < 10; round++) {
        await stranger.link(sim.at(0))
        for (let count = 0; count < 20; count++) stranger.sendBytes(sim.at(0), Uint8Array.of(0xff, 0xff))
        await sim.time.advance(10_000)
      }
      const entries = await eventsOf(sim.at(0), 'event.quarantined')
      assert.ok(entries.length > 0 && entries.length <= 6, `${entries.length} entries`)
    })

    it('lives through noise and mutated messages: nothing thrown, nothing stored, other peers untouched', async () => {
      await started(3)
      const random = randomFrom(42)
      const stranger = new Stranger(sim)
      const samples = [
        encodeWire({ type: 'push', events: [{ event: stranger.event(1), hops: 3 }] }),
        encodeWire({ type: 'have', names: [{ author: stranger.id, authorSeq: 5, hops: 1 }] }),
        encodeWire({ type: 'graft', names: [{ author: sim.at(0).id, authorSeq: 1, hops: 1 }] }),
        encodeWire({ type: 'summary', salt: 1, buckets: new Uint8Array(384) }),
        encodeWire({
          type: 'vector',
          buckets: new Uint8Array(8).fill(255),
          heads: [{ author: stranger.id, authorSeq: 9 }],
          reply: false,
        }),
        encodeWire({ type: 'fetch', id: 1, ranges: [{ author: sim.at(1).id, from: 1, to: Number.MAX_SAFE_INTEGER }] }),
        encodeWire({ type: 'supply', id: 1, events: [stranger.event(1)], last: true }),
        encodeWire({ type: 'ping', seq: 1, belief: 'dead', incarnation: 0 }),
        encodeWire({ type: 'ping-request', seq: 1, target: sim.at(2).id, belief: 'alive', incarnation: 1 }),
        encodeWire({ type: 'request', id: 1, method: 'x', body: bytes('y') }),
        encodeWire({ type: 'response', id: 1, status: 'ok', body: bytes('y') }),
      ]
      const gone = sim.at(0).log.head
      for (let round = 0; round < 25; round++) {
        if (!stranger.isLinked(sim.at(0))) {
          await stranger.link(sim.at(0))
          await sim.time.advance(60_000)
          await stranger.link(sim.at(0))
        }
        for (let count = 0; count < 30; count++) {
          const sample = Uint8Array.from(samples[Math.floor(random() * samples.length)] ?? [])
          const flips = Math.floor(random() * 4)
          for (let flip = 0; flip < flips; flip++) sample[Math.floor(random() * sample.length)] = Math.floor(random() * 256)
          const cut = random() < 0.2 ? Math.floor(random() * sample.length) : sample.length
          stranger.sendBytes(sim.at(0), sample.subarray(0, cut))
        }
        await sim.time.advance(50)
      }
      await sim.time.advance(15_000)
      assert.ok(allAlive(sim))
      // Its one sound event may be stored; besides it there are only bounded entries about the rest.
      const entries = (await eventsOf(sim.at(0), 'event.quarantined')).length
      const heard = sim.at(0).log.versionVector().get(stranger.id) ?? 0
      const own = (await eventsOf(sim.at(0), 'member.refuted', 'member.suspect', 'heartbeat.rolled-up')).length
      assert.ok(sim.at(0).log.head <= gone + entries + heard + own + 1)
    })
  })
})
