import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CREDENTIAL_FAULTS, type CredentialFault, type NodeId } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import type { TransportLimits } from '../../src/network/limits.hyperswarm.ts'
import { NetworkError } from '../../src/network/network-error.ts'
import {
  createHyperswarmTransport,
  type HyperswarmTransport,
  type HyperswarmTransportOptions,
} from '../../src/network/transport.hyperswarm.ts'
import { type Doorkeeper, type Endpoint, MESSAGE_BYTES_MAX, OPEN_DOOR } from '../../src/network/transport.ts'
import { freeUdpPort } from '../../src/network/udp-port.hyperswarm.ts'
import { TEST_NETWORK } from '../events/test-network.ts'
import { until } from '../roles/until.ts'
import { hostilePeer } from './hostile-peer.ts'
import { Recorder, transportContract } from './transport.contract.ts'

const HOST = '127.0.0.1'

const create = (options: Partial<HyperswarmTransportOptions>): HyperswarmTransport =>
  createHyperswarmTransport({
    seed: randomBytes(32),
    role: 'index',
    host: HOST,
    port: 0,
    bootstrap: [],
    clock: systemClock,
    timers: systemTimers,
    ...options,
  })

transportContract('hyperswarm', async () => {
  const created: HyperswarmTransport[] = []
  return {
    async create(door) {
      const transport = create({ limits: { dialTimeoutMs: 1_000 }, ...(door && { door }) })
      created.push(transport)
      return transport
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(created.map((transport) => transport[Symbol.asyncDispose]()))
    },
  }
})

type Node = { transport: HyperswarmTransport; seen: Recorder; port: number }

describe('hyperswarm transport', () => {
  const open: AsyncDisposable[] = []
  afterEach(() => Promise.all(open.splice(0).map((each) => each[Symbol.asyncDispose]())))

  async function start(options: Partial<HyperswarmTransportOptions> = {}): Promise<Node> {
    const transport = create({ ...options, limits: { leaveMsMax: 50, ...options.limits } })
    const seen = new Recorder()
    open.push(transport)
    transport.listen(seen)
    await transport.start(new AbortController().signal)
    return { transport, seen, port: transport.endpoint?.port ?? 0 }
  }

  async function freeEndpoints(count: number): Promise<Endpoint[]> {
    const ports = await Promise.all(Array.from({ length: count }, () => freeUdpPort(HOST, 0)))
    return ports.map((port) => ({ host: HOST, port }))
  }

  const isLinked = (a: Node, b: Node): boolean => a.transport.links().some(({ peer }) => peer === b.transport.self)
  const linked = (a: Node, b: Node): Promise<void> => a.seen.until(() => isLinked(a, b))

  /** Every node can be reached from the first over links. */
  function isConnected(nodes: readonly Node[]): boolean {
    const reached = new Set<NodeId>()
    const next = nodes.slice(0, 1).map(({ transport }) => transport.self)
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (reached.has(id)) continue
      reached.add(id)
      const node = nodes.find(({ transport }) => transport.self === id)
      next.push(...(node?.transport.links() ?? []).map(({ peer }) => peer))
    }
    return reached.size === nodes.length
  }

  describe('finding the network', () => {
    it('has the key that signs events as its node id', () => {
      const seed = randomBytes(32)
      assert.equal(create({ seed }).self, signerFromSeed(seed, TEST_NETWORK).id)
    })

    for (const endpoint of [
      { host: 'victim.example', port: 53 },
      { host: '::1', port: 53 },
      { host: '0.0.0.0', port: 53 },
      { host: '255.255.255.255', port: 53 },
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 65_536 },
      { host: '127.0.0.1', port: Number.NaN },
    ])
      it(`looks by key for whoever is said to be at ${endpoint.host}:${endpoint.port}, and throws nothing`, async () => {
        const [first] = await freeEndpoints(1)
        assert.ok(first)
        const topic = randomBytes(32)
        await start({ role: 'bootstrap', port: first.port, topic })
        // What an earlier run remembered is no more to be trusted.
        const known = [{ key: 'f'.repeat(64) as NodeId, ...endpoint }]
        const a = await start({ bootstrap: [first, endpoint], dhtNodes: [endpoint], knownEndpoints: known })
        const b = await start({ bootstrap: [first] })
        assert.equal(await a.transport.dial(b.transport.self, endpoint), true)
        assert.equal(
          a.transport.knownEndpoints().some(({ host, port }) => host === endpoint.host && port === endpoint.port),
          false,
        )
      })

    it('does not start where others would be told an address that nobody can dial', async () => {
      for (const advertise of ['0.0.0.0', '224.0.0.1', '255.255.255.255', '::1']) {
        const transport = create({ advertise })
        await assert.rejects(transport.start(new AbortController().signal), { name: 'NetworkError', code: 'BAD_ADDRESS' })
      }
      await assert.rejects(create({ host: '::1' }).start(new AbortController().signal), {
        code: 'BAD_ADDRESS',
        message: /IPv4 only/,
      })
    })

    it('connects 5 bootstraps and 10 nodes that start at the same moment within 10 s', async () => {
      const bootstrap = await freeEndpoints(5)
      const topic = randomBytes(32)
      const startedAt = performance.now()
      const nodes = await Promise.all([
        ...bootstrap.map(({ port }) => start({ role: 'bootstrap', port, bootstrap, topic })),
        ...Array.from({ length: 10 }, (_, index) => start({ role: index % 2 ? 'index' : 'client', bootstrap, topic })),
      ])
      const areLinked = () => nodes.every(({ transport }) => transport.links().length >= 4) && isConnected(nodes)
      await until('each has four links, and there is a way to all', areLinked, 10_000 - (performance.now() - startedAt))
    })

    it('links two nodes and the only bootstrap, which nobody can look up but itself', async () => {
      const bootstrap = await freeEndpoints(1)
      const topic = randomBytes(32)
      const first = await start({ role: 'bootstrap', port: bootstrap[0]?.port ?? 0, topic })
      const [a, b] = await Promise.all([start({ bootstrap, topic }), start({ role: 'client', bootstrap, topic })])
      await Promise.all([linked(first, a), linked(first, b), linked(a, b)])
    })

    it('starts without its bootstrap, says so, and links when the bootstrap comes up', async () => {
      const bootstrap = await freeEndpoints(1)
      const topic = randomBytes(32)
      const notices: string[] = []
      const node = await start({ bootstrap, topic, onNotice: (text) => notices.push(text) })
      assert.deepEqual(notices, [`bootstrap ${HOST}:${bootstrap[0]?.port} does not answer; trying again in 1 s`])
      const late = await start({ role: 'bootstrap', port: bootstrap[0]?.port ?? 0, topic })
      await linked(node, late)
    })

    it('says so where bootstraps answer and nobody of the network is there, as if they were of another one', async () => {
      const bootstrap = await freeEndpoints(1)
      await start({ role: 'bootstrap', port: bootstrap[0]?.port ?? 0, topic: randomBytes(32) })
      const notices: string[] = []
      // Half a minute of rounds, in a second.
      const timers = { after: (ms: number, run: () => void) => systemTimers.after(ms / 30, run) }
      await start({ bootstrap, topic: randomBytes(32), timers, onNotice: (text) => notices.push(text) })
      await until('it is told', () => notices.some((text) => /answered, but no node of this network was found/.test(text)))
      assert.match(notices.at(-1) ?? '', new RegExp(`the bootstrap ${HOST}:${bootstrap[0]?.port} answered`))
    })

    it('takes in no dead bootstrap that is listed beside a live one', async () => {
      const [live, dead] = await freeEndpoints(2)
      assert.ok(live && dead)
      const topic = randomBytes(32)
      const bootstrap = [dead, live]
      const first = await start({ role: 'bootstrap', port: live.port, bootstrap, topic })
      const startedAt = performance.now()
      const node = await start({ bootstrap, topic })
      await linked(node, first)
      assert.ok(performance.now() - startedAt < 5_000, 'a dead entry costs about 6 s where it is not filtered out')
    })

    it('dials a node by its key alone, as long as a bootstrap knows where it is', async () => {
      const bootstrap = await freeEndpoints(1)
      await start({ role: 'bootstrap', port: bootstrap[0]?.port ?? 0 })
      const [a, b] = await Promise.all([start({ bootstrap }), start({ bootstrap, role: 'client' })])
      assert.equal(await a.transport.dial(b.transport.self), true)
      assert.equal(await a.transport.dial('12'.repeat(32) as NodeId), false)
    })

    it('takes its bootstraps back when all of them restart', async () => {
      const bootstrap = await freeEndpoints(2)
      const topic = randomBytes(32)
      const boot = () => Promise.all(bootstrap.map(({ port }) => start({ role: 'bootstrap', port, bootstrap, topic })))
      const firsts = await boot()
      const node = await start({ bootstrap, topic })
      await Promise.all(firsts.map((first) => linked(node, first)))
      await Promise.all(firsts.map(({ transport }) => transport[Symbol.asyncDispose]()))
      await node.seen.until(() => node.transport.links().length === 0)
      const seconds = await boot()
      await Promise.all(seconds.map((second) => linked(node, second)))
    })

    it('finds a known peer when it restarts after all bootstraps are gone', async () => {
      const bootstrap = await freeEndpoints(2)
      const topic = randomBytes(32)
      const firsts = await Promise.all(bootstrap.map(({ port }) => start({ role: 'bootstrap', port, bootstrap, topic })))
      const seed = randomBytes(32)
      const [a, b] = await Promise.all([start({ bootstrap, topic, seed }), start({ bootstrap, topic })])
      await Promise.all([linked(a, b), linked(b, a)])
      await Promise.all(firsts.map(({ transport }) => transport[Symbol.asyncDispose]()))
      const knownEndpoints = JSON.parse(JSON.stringify(a.transport.knownEndpoints()))
      const dhtNodes = JSON.parse(JSON.stringify(a.transport.dhtNodes()))
      await a.transport[Symbol.asyncDispose]()
      await b.seen.until(() => !isLinked(b, a))
      const again = await start({ bootstrap, topic, seed, port: a.port, knownEndpoints, dhtNodes })
      await linked(again, b)
      await linked(b, again)
    })
  })

  describe('its socket', () => {
    it('says which port is in use', async () => {
      const socket = createSocket('udp4').bind(0, HOST)
      await once(socket, 'listening')
      const { port } = socket.address()
      await assert.rejects(start({ port }), (error: unknown) => {
        assert.ok(error instanceof NetworkError)
        assert.equal(error.code, 'PORT_IN_USE')
        assert.equal(error.message, `UDP port ${port} on 127.0.0.1 is in use: choose another with --port`)
        return true
      })
      socket.close()
    })

    it('names a host that is not this machine', () => assert.rejects(start({ host: '192.0.2.1' }), { code: 'BAD_ADDRESS' }))

    it('links again after a restart with the same key and port', async () => {
      const seed = randomBytes(32)
      const a = await start()
      const b = await start({ seed })
      assert.equal(await a.transport.dial(b.transport.self, b.transport.endpoint), true)
      await b.transport[Symbol.asyncDispose]()
      await a.seen.until(() => a.seen.down.length === 1)
      assert.deepEqual(a.seen.down, [{ peer: b.transport.self, why: 'remote' }])
      const again = await start({ seed, port: b.port })
      assert.equal(again.port, b.port)
      assert.equal(await a.transport.dial(b.transport.self, again.transport.endpoint), true)
    })

    it('can be aborted while it starts, and leaves its port free', async () => {
      const [own, dead] = await freeEndpoints(2)
      assert.ok(own && dead)
      const transport = create({ port: own.port, bootstrap: [dead] })
      const aborting = new AbortController()
      const starting = transport.start(aborting.signal)
      aborting.abort(new Error('enough'))
      await assert.rejects(starting, /enough/)
      assert.equal(await freeUdpPort(HOST, own.port), own.port)
    })

    it('has no room for more inbound links than its limit, and others still have theirs', async () => {
      const hub = await start({ limits: { linksInboundMax: 2 } })
      const nodes = await Promise.all([start(), start(), start()])
      const dialled = await Promise.all(
        nodes.map(({ transport }) => transport.dial(hub.transport.self, hub.transport.endpoint)),
      )
      assert.equal(dialled.filter(Boolean).length, 2)
      await hub.seen.until(() => hub.transport.links().length === 2)
      assert.equal(hub.seen.up.length, 2)
    })

    it('keeps places for members, which those who are none do not get, however many come first', async () => {
      const members = new Set<NodeId>()
      const door = { ...OPEN_DOOR, isMember: (peer: NodeId) => members.has(peer) }
      const hub = await start({ limits: { linksInboundMax: 4 }, door })
      const dial = async (count: number, isMember: boolean) => {
        const nodes = await Promise.all(Array.from({ length: count }, () => start()))
        if (isMember) for (const { transport } of nodes) members.add(transport.self)
        await Promise.all(nodes.map(({ transport }) => transport.dial(hub.transport.self, hub.transport.endpoint)))
        return nodes.map(({ transport }) => transport.self)
      }
      const clients = await dial(5, false)
      await hub.seen.until(() => hub.transport.links().length === 2)
      const [first, second] = await dial(2, true)
      await hub.seen.until(() => hub.transport.links().length === 4)
      const linked = hub.transport.links().map(({ peer }) => peer)
      assert.equal(linked.filter((peer) => clients.includes(peer)).length, 2)
      assert.ok(first !== undefined && second !== undefined && linked.includes(first) && linked.includes(second))
    })

    it('gives a party its share of the places, whichever other has filled them first with however many keys', async () => {
      const parties = new Map<NodeId, string>()
      const door = { ...OPEN_DOOR, isMember: () => false, partyOf: (peer: NodeId) => parties.get(peer) ?? '' }
      const hub = await start({ limits: { linksInboundMax: 4 }, door })
      const dial = async (count: number, party: string) => {
        const nodes = await Promise.all(Array.from({ length: count }, () => start()))
        for (const { transport } of nodes) parties.set(transport.self, party)
        await Promise.all(nodes.map(({ transport }) => transport.dial(hub.transport.self, hub.transport.endpoint)))
      }
      const linked = () =>
        hub.transport
          .links()
          .map(({ peer }) => parties.get(peer))
          .toSorted()
      await dial(5, 'greedy')
      await until('the greedy have all places', () => linked().join() === 'greedy,greedy')
      await dial(2, 'late')
      await until('each party has one', () => linked().join() === 'greedy,late')
      const told = hub.seen.down.map(({ peer }) => parties.get(peer))
      assert.deepEqual(told, ['greedy'], 'nobody is told of the end of a link that it was not told of')
    })
  })

  describe('a hostile peer', () => {
    const limits: Partial<TransportLimits> = { messagesIn: { perSecond: 1_000, burst: 2_000 } }

    async function hostile(victim: Node, seed?: Buffer) {
      const peer = await hostilePeer(victim.transport.self, victim.port, seed)
      open.push({ [Symbol.asyncDispose]: () => peer.close() })
      return peer
    }

    /** In a process of its own; resolves with its key once its channel is open. */
    async function hostileProcess(victim: Node, mode: 'flood' | 'quiet') {
      const path = fileURLToPath(new URL('hostile-peer.ts', import.meta.url))
      const child = spawn(process.execPath, [path, victim.transport.self, String(victim.port), mode])
      const exited = once(child, 'exit')
      open.push({
        async [Symbol.asyncDispose]() {
          child.kill('SIGKILL')
          await exited
        },
      })
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      return { child, key: line.toString().trim() as NodeId }
    }

    const door = (why: CredentialFault | undefined): Doorkeeper => ({ credential: new Uint8Array([1]), refusal: () => why })

    it('that is not let in is told so once, and nothing else that it sends is read', async () => {
      const victim = await start({ door: door('expired') })
      const peer = await hostile(victim)
      const messages = Array.from({ length: 50 }, (_, index) => new Uint8Array(1_000).fill(index))
      assert.equal(await peer.rush(new Uint8Array([7]), messages, true), 1 + CREDENTIAL_FAULTS.indexOf('expired'))
      await peer.closed
      assert.deepEqual([victim.seen.up, victim.seen.messages, victim.transport.links()], [[], [], []])
      assert.deepEqual(victim.seen.refusals, [{ peer: peer.key, why: 'expired', by: 'us' }])
    })

    it('that is let in and does not let the victim in has no link, and nothing that it sends is read', async () => {
      const victim = await start({ door: door(undefined), limits: { openTimeoutMs: 500 } })
      const peer = await hostile(victim)
      assert.equal(await peer.rush(new Uint8Array([7]), [new Uint8Array(1_000)], false), 0)
      await peer.closed
      assert.deepEqual([victim.seen.up, victim.seen.messages, victim.transport.links()], [[], [], []])
    })

    it('that shows a forgery, or no credential at all, is refused for a while without being asked again', async () => {
      for (const why of ['forged', 'malformed'] as const) {
        const victim = await start({ door: door(why), limits: { penaltyMs: 60_000 } })
        const seed = randomBytes(32)
        const first = await hostile(victim, seed)
        assert.equal(await first.rush(new Uint8Array(64 * 1024 - 100), [], true), 1 + CREDENTIAL_FAULTS.indexOf(why))
        await first.closed
        // Its connection may end before it stands, for all it can see.
        const again = hostile(victim, seed).then(
          (second) => second.rush(new Uint8Array(), [], true),
          () => undefined,
        )
        assert.equal(await again, undefined)
        assert.equal(victim.seen.refusals.length, 1)
      }
    })

    it('that floods loses its link, is refused for a while, and costs the others nothing', async () => {
      const victim = await start({ limits })
      const friend = await start()
      assert.equal(await friend.transport.dial(victim.transport.self, victim.transport.endpoint), true)
      const before = process.memoryUsage().rss
      const startedAt = performance.now()
      const { key } = await hostileProcess(victim, 'flood')
      await victim.seen.until(() => victim.seen.down.length === 1)
      assert.deepEqual(victim.seen.down, [{ peer: key, why: 'flood' }])
      assert.ok(victim.seen.messages.length <= 2_000 + performance.now() - startedAt)
      assert.ok(process.memoryUsage().rss - before < 64 << 20)
      // It would not be there any more: refused is who is not even dialled.
      const asked = new Promise<string>((resolve) => setImmediate(() => resolve('asked')))
      assert.equal(await Promise.race([victim.transport.dial(key), asked]), false)
      assert.equal(friend.transport.send(victim.transport.self, Uint8Array.of(7)), true)
      await victim.seen.until(() => victim.seen.messages.some(({ from }) => from === friend.transport.self))
    })

    it('that is killed with -9 is noticed within the bound', async () => {
      const victim = await start({ limits: { silenceMsMax: 1_500, keepAliveMs: 300 } })
      const { child, key } = await hostileProcess(victim, 'quiet')
      await victim.seen.until(() => victim.seen.up.length === 1)
      const killedAt = performance.now()
      child.kill('SIGKILL')
      await victim.seen.until(() => victim.seen.down.length === 1)
      assert.deepEqual(victim.seen.down, [{ peer: key, why: 'timeout' }])
      assert.ok(performance.now() - killedAt < 5_000, 'by default it takes 15 s')
    })

    it('that comes back under its key takes the place of its silent first link', async () => {
      const victim = await start({ limits })
      const seed = randomBytes(32)
      await (await hostile(victim, seed)).open()
      await victim.seen.until(() => victim.seen.up.length === 1)
      await (await hostile(victim, seed)).open()
      await victim.seen.until(() => victim.seen.up.length === 2)
      assert.equal(victim.transport.links().length, 1)
      assert.equal(victim.seen.down.length, 1)
    })

    it('that sends a message over the limit loses its link', async () => {
      const victim = await start({ limits })
      const peer = await hostile(victim)
      const send = await peer.open()
      send(new Uint8Array(MESSAGE_BYTES_MAX))
      send(new Uint8Array(MESSAGE_BYTES_MAX + 1))
      await victim.seen.until(() => victim.seen.down.length === 1)
      assert.deepEqual(victim.seen.down, [{ peer: peer.key, why: 'oversized' }])
      assert.equal(victim.seen.messages.length, 1)
    })

    it('that sends a frame of 15 MB loses its link before the frame is whole', async () => {
      const victim = await start({ limits })
      const peer = await hostile(victim)
      await peer.open()
      peer.stream.write(new Uint8Array(15 << 20))
      await victim.seen.until(() => victim.seen.down.length === 1)
      assert.deepEqual(victim.seen.down, [{ peer: peer.key, why: 'oversized' }])
    })

    it('that never opens the channel is dropped, and was never a link', async () => {
      const victim = await start({ limits: { openTimeoutMs: 300 } })
      const peer = await hostile(victim)
      await peer.closed
      assert.equal(victim.seen.up.length, 0)
    })

    /** Batches within batches, as deep as fits: protomux would overflow its stack on them. */
    function nestedBatches(): Buffer {
      const frame = Buffer.alloc(MESSAGE_BYTES_MAX)
      let at = frame.length - 1
      while (at >= 6) {
        frame.writeUInt16LE(frame.length - at, at - 2)
        frame[at - 3] = 0xfd
        at -= 5
      }
      return frame.subarray(at - 1)
    }

    const garbage: [string, () => Buffer][] = [
      ['batches nested in batches', nestedBatches],
      // Numbers of protomux have longer spellings as well: 0 is also fd 00 00.
      ['nested batches behind a long zero', () => Buffer.concat([Buffer.of(0xfd, 0, 0), nestedBatches().subarray(1)])],
      ['nested batches behind a longer zero', () => Buffer.concat([Buffer.of(0xfe, 0, 0, 0, 0), nestedBatches().subarray(1)])],
      [
        'nested batches behind the longest zero',
        () => Buffer.concat([Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0, 0), nestedBatches().subarray(1)]),
      ],
      ['a message on a channel that cannot be', () => Buffer.of(17, 0, 1)],
      ['an open of channel 0', () => Buffer.of(0, 1, 0, 1, 97, 0)],
      ['an unknown control frame', () => Buffer.of(0, 9, 9)],
      ['an open with a name longer than the frame', () => Buffer.of(0, 1, 1, 0xfe, 255, 255, 255, 255)],
      ['a close of a close', () => Buffer.of(0, 2, 5)],
      ['a frame of one byte', () => Buffer.of(1)],
    ]
    for (const [what, frame] of garbage) {
      it(`that sends ${what} loses its link and nothing else happens`, async () => {
        const bytes = frame()
        const victim = await start({ limits })
        const peer = await hostile(victim)
        await peer.open()
        peer.stream.write(bytes)
        await victim.seen.until(() => victim.seen.down.length === 1)
        assert.deepEqual(victim.seen.down, [{ peer: peer.key, why: 'malformed' }])
      })
    }

    it('that sends random frames costs at most its own link', async () => {
      const victim = await start({ limits: { penaltyMs: 0, openTimeoutMs: 300 } })
      for (let round = 0; round < 20; round++) {
        const peer = await hostile(victim)
        for (let count = 0; count < 20; count++) peer.stream.write(randomBytes(1 + ((count * 37) % 300)))
        await peer.closed
      }
      const friend = await start()
      assert.equal(await friend.transport.dial(victim.transport.self, victim.transport.endpoint), true)
    })

    it('that sends frames of the right shape and any content costs at most its own link', async () => {
      const victim = await start({ limits: { penaltyMs: 0, openTimeoutMs: 300 } })
      const byte = (count: number): number => randomBytes(1).readUInt8() % count
      for (let round = 0; round < 30; round++) {
        const peer = await hostile(victim)
        if (round % 2 === 0) await peer.open()
        for (let count = 0; count < 30; count++) {
          const head = byte(2) === 0 ? [0, 1 + byte(3), 1 + byte(3)] : [1 + byte(3), byte(3)]
          peer.stream.write(Buffer.concat([Buffer.from(head), randomBytes(byte(12))]))
        }
        peer.stream.end()
        await peer.closed
      }
      const friend = await start()
      assert.equal(await friend.transport.dial(victim.transport.self, victim.transport.endpoint), true)
    })

    it('that takes less than we have for it loses its link when its queue is full', async () => {
      const sender = await start({ limits: { queueBytesMax: 1 << 20 } })
      const receiver = await start()
      assert.equal(await sender.transport.dial(receiver.transport.self, receiver.transport.endpoint), true)
      const message = new Uint8Array(MESSAGE_BYTES_MAX)
      let sent = 0
      while (sender.transport.send(receiver.transport.self, message)) sent += message.length
      assert.deepEqual(sender.seen.down, [{ peer: receiver.transport.self, why: 'backlog' }])
      assert.ok(sent <= 8 << 20)
    })

    it('does an honest burst no harm: it is sent as fast as the receiver may be sent to', async () => {
      const sender = await start({ limits: { messagesOut: { perSecond: 10_000, burst: 200 } } })
      const receiver = await start({ limits: { messagesIn: { perSecond: 12_000, burst: 4_000 } } })
      assert.equal(await sender.transport.dial(receiver.transport.self, receiver.transport.endpoint), true)
      for (let count = 0; count < 6_000; count++) {
        assert.equal(sender.transport.send(receiver.transport.self, Uint8Array.of(count & 255)), true)
      }
      await receiver.seen.until(() => receiver.seen.messages.length === 6_000)
      assert.ok(receiver.seen.messages.every(({ bytes }, index) => bytes[0] === (index & 255)))
    })

    it('that is banned links neither by its own look-ups nor by ours', async () => {
      const bootstrap = await freeEndpoints(1)
      const topic = randomBytes(32)
      const seed = randomBytes(32)
      const first = await start({ role: 'bootstrap', port: bootstrap[0]?.port ?? 0, topic })
      const banner = create({ bootstrap, topic })
      banner.ban(signerFromSeed(seed, TEST_NETWORK).id)
      const seen = new Recorder()
      open.push(banner)
      banner.listen(seen)
      await banner.start(new AbortController().signal)
      const banned = await start({ seed, bootstrap, topic, limits: { dialTimeoutMs: 1_000 } })
      await Promise.all([linked(banned, first), seen.until(() => seen.up.length > 0)])
      assert.equal(await banned.transport.dial(banner.self, banner.endpoint), false)
      assert.deepEqual(
        banner.links().map(({ peer }) => peer),
        [first.transport.self],
      )
    })
  })
})
