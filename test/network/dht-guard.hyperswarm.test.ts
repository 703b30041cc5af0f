import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import HyperDHT from 'hyperdht'
import type { NodeId } from '../../src/events/index.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { guardDht } from '../../src/network/dht-guard.hyperswarm.ts'
import { createHyperswarmTransport } from '../../src/network/transport.hyperswarm.ts'
import { randomFrom } from '../sim/random.ts'
import { askToConnect, FIREWALL, type Lie, LyingServer, PEER_HANDSHAKE } from './lying-server.ts'

const HOST = '127.0.0.1'
const at = (host: string, port: number) => ({ host, port })

describe('a HyperDHT node among liars', () => {
  const open: AsyncDisposable[] = []
  const thrown: unknown[] = []
  const onThrown = (error: unknown): void => {
    thrown.push(error)
  }
  let listeners: NodeJS.UncaughtExceptionListener[]
  beforeEach(() => {
    thrown.length = 0
    // Mocha's own would end the test run, and say nothing of the others.
    listeners = process.listeners('uncaughtException') as NodeJS.UncaughtExceptionListener[]
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', onThrown)
    process.on('unhandledRejection', onThrown)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each[Symbol.asyncDispose]()))
    process.off('uncaughtException', onThrown)
    process.off('unhandledRejection', onThrown)
    for (const listener of listeners) process.on('uncaughtException', listener)
    assert.deepEqual(thrown, [])
  })

  const transport = async (role: 'bootstrap' | 'client', limits = {}) => {
    const made = createHyperswarmTransport({
      ...{ seed: randomBytes(32), role, host: HOST, port: 0, bootstrap: [], clock: systemClock, timers: systemTimers },
      limits: { leaveMsMax: 50, ...limits },
    })
    open.push(made)
    made.listen({ linked: () => {}, unlinked: () => {}, refused: () => {}, message: () => {} })
    await made.start(new AbortController().signal)
    return made
  }
  const liar = async () => {
    const server = await LyingServer.start()
    open.push(server)
    return server
  }

  const relays = [{ relayAddress: at(HOST, 0), peerAddress: at('0.0.0.0', 0) }]
  const lies: readonly [what: string, payload: Lie, peerAddress: HyperDHT.Address | null][] = [
    ['is open at port 0', { addresses4: [at('8.8.8.8', 0)] }, at('10.1.1.1', 5)],
    ['is open, and its relay saw it at port 0', {}, at('10.1.1.1', 0)],
    ['is on the same network at port 0', { firewall: FIREWALL.consistent, addresses4: [at('192.168.1.1', 0)] }, at(HOST, 0)],
    ['is at the broadcast address', { addresses4: [at('255.255.255.255', 5)] }, at('10.1.1.1', 5)],
    ['is at 0.0.0.0 with an address of IPv6', { addresses6: [at('::1', 5)] }, at('0.0.0.0', 5)],
    [
      'can be reached through relays at port 0',
      { firewall: FIREWALL.consistent, holepunch: { id: 2 ** 40, relays } },
      at(HOST, 9),
    ],
    ['has a stream of number 2^52', { udx: { reusableSocket: true, id: 2 ** 52, seq: 2 ** 52 } }, null],
    ['has no stream', { udx: null }, at('10.1.1.1', 5)],
    ['was relayed by port 0', { relayAddresses: [at('0.0.0.0', 0)] }, null],
    [
      'wants to be reached through a third',
      { relayThrough: { publicKey: randomBytes(32), token: randomBytes(32) } },
      at(HOST, 5),
    ],
  ]
  for (const [what, payload, peerAddress] of lies)
    it(`dials in vain, and lives, whoever says that it ${what}`, async () => {
      const [node, server] = [await transport('client', { dialTimeoutMs: 700 }), await liar()]
      server.lie = { payload, peerAddress }
      assert.equal(await node.dial(server.keyPair.publicKey.toString('hex') as NodeId, server.endpoint), false)
      assert.ok(server.handshakes > 0)
      assert.deepEqual(node.links(), [])
    })

  it('ends a stream that cannot be connected, instead of throwing', async () => {
    const dht = guardDht(new HyperDHT({ host: HOST, bootstrap: [] }))
    open.push({ [Symbol.asyncDispose]: () => dht.destroy() })
    await dht.bind()
    for (const [port, host] of [
      [0, HOST],
      [65_536, HOST],
      [1, 'victim.example'],
    ] as const) {
      const stream = dht.createRawStream({})
      const failed = once(stream, 'error')
      stream.connect((dht as unknown as { io: { serverSocket: unknown } }).io.serverSocket, 1, port, host)
      assert.match(String(await failed), /is not a valid/)
    }
  })

  it('lets nobody send it through a third node, whom it dials or who dials it', async () => {
    const dht = guardDht(new HyperDHT({ host: HOST, bootstrap: [] }))
    open.push({ [Symbol.asyncDispose]: () => dht.destroy() })
    const dialled: Buffer[] = []
    const { connect } = dht
    dht.connect = (key, options) => {
      dialled.push(key)
      return connect(key, options)
    }
    const server = dht.createServer({}, (stream) => stream.on('error', () => {}))
    const keyPair = HyperDHT.keyPair()
    void server.listen(keyPair).catch(() => {})
    await dht.fullyBootstrapped()
    const third = { publicKey: randomBytes(32), token: randomBytes(32) }
    const stranger = new HyperDHT({ host: HOST, bootstrap: [], firewalled: false }) as HyperDHT & {
      request(what: object, to: HyperDHT.Address, options: object): Promise<unknown>
    }
    open.push({ [Symbol.asyncDispose]: () => stranger.destroy() })
    await stranger.fullyBootstrapped()
    const value = askToConnect({ firewall: FIREWALL.unknown, relayThrough: third }, keyPair.publicKey, stranger.address())
    const to = (dht as unknown as { io: { serverSocket: { address(): HyperDHT.Address } } }).io.serverSocket.address()
    // Hash of the key: HyperDHT's own target of a server.
    const target = hash(keyPair.publicKey)
    await stranger.request({ command: PEER_HANDSHAKE, target, value }, to, { retry: false }).catch(() => {})
    const lying = await liar()
    lying.lie = { payload: { firewall: FIREWALL.unknown, relayThrough: third }, peerAddress: at('10.1.1.1', 5) }
    const stream = dht.connect(lying.keyPair.publicKey, { relayAddresses: [lying.endpoint] })
    stream.on('error', () => {})
    while (lying.handshakes === 0) await new Promise((resolve) => setImmediate(resolve))
    // The answer is read before one that is asked for after it.
    await dht.ping(lying.endpoint)
    stream.destroy()
    assert.deepEqual(dialled, [lying.keyPair.publicKey])
  })

  for (const role of ['bootstrap', 'client'] as const)
    it(`lives through datagrams of noise, and of requests with a part changed, as a ${role}`, async () => {
      const node = await transport(role)
      const socket = createSocket('udp4')
      const port = node.endpoint?.port ?? 0
      const random = randomFrom(11)
      const target = hash(Buffer.from(node.self, 'hex'))
      for (let count = 0; count < 4_000; count++) {
        const datagram = datagramOf(random, target)
        await new Promise<void>((resolve) => socket.send(datagram, port, HOST, () => resolve()))
      }
      socket.close()
      const other = await transport('client')
      assert.equal(await other.dial(node.self, node.endpoint), true)
    })
})

describe('what the other side of a connection says', () => {
  const sound = at('10.1.1.1', 5)
  const unsound = [at('10.1.1.1', 0), at('0.0.0.0', 5), at('255.255.255.255', 5)]
  type Making = { createHandshake?: HyperDHT.CreateHandshake }
  /** What is left of a payload, whether this node dials or is dialled; the library has read it so. */
  const leftOf = (recv: () => HyperDHT.HandshakePayload): readonly HyperDHT.HandshakePayload[] => {
    const given: (HyperDHT.CreateHandshake | undefined)[] = []
    const library = {
      createServer(options: Making) {
        given.push(options.createHandshake)
        return { createHandshake: () => ({ recv }) }
      },
      connect: (_key: Buffer, options: Making) => given.push(options.createHandshake),
      createRawStream: () => ({}),
    } as unknown as HyperDHT
    const dht = guardDht(library)
    dht.connect(randomBytes(32), {})
    dht.createServer({}, () => {})
    const [first, ...guarded] = given
    assert.equal(first, undefined, 'the one that only tells how handshakes are made')
    assert.equal(guarded.length, 2)
    return guarded.map((create) => create?.(HyperDHT.keyPair(), null).recv(randomBytes(10)) ?? assert.fail('it is not guarded'))
  }
  const payload = (more: Partial<HyperDHT.HandshakePayload>): HyperDHT.HandshakePayload => ({
    ...{ addresses4: [], addresses6: [], holepunch: null, relayAddresses: null, relayThrough: null },
    ...more,
  })

  it('has addresses left that somebody can have, of IPv4 alone', () => {
    const said = payload({ addresses4: [...unsound, sound], addresses6: [at('::1', 5)], relayAddresses: [sound, ...unsound] })
    for (const left of leftOf(() => said)) assert.deepEqual(left, payload({ addresses4: [sound], relayAddresses: [sound] }))
  })

  it('has relays left whose both ends somebody can have', () => {
    const relays = [...unsound, sound].flatMap((relayAddress) =>
      [...unsound, sound].map((peerAddress) => ({ relayAddress, peerAddress })),
    )
    for (const left of leftOf(() => payload({ holepunch: { id: 7, relays } })))
      assert.deepEqual(left, payload({ holepunch: { id: 7, relays: [{ relayAddress: sound, peerAddress: sound }] } }))
  })

  it('has no third node left through which to connect', () => {
    for (const left of leftOf(() => payload({ relayThrough: { publicKey: randomBytes(32) } })))
      assert.deepEqual(left, payload({}))
  })

  it('that is no handshake is an error, and none of those that the library throws again', () => {
    const thrower = () => {
      throw new RangeError('out of bounds')
    }
    assert.throws(
      () => leftOf(thrower),
      (error) => error instanceof Error && !(error instanceof RangeError) && /no handshake/.test(error.message),
    )
  })
})

const { hash } = HyperDHT as unknown as { hash(data: Uint8Array): Buffer }

/** A request or an answer of dht-rpc with any parts: kind and version, flags, transaction, receiver, then what the flags say. */
function datagramOf(random: () => number, target: Buffer): Buffer {
  const byte = () => Math.floor(random() * 256)
  const bytes = (length: number) => Buffer.from(Array.from({ length }, byte))
  const flags = byte() & 31
  const value = Buffer.concat([Buffer.from([byte() & 3, byte() % 5]), bytes(byte() % 200)])
  const parts = [
    Buffer.from([random() < 0.5 ? 0x03 : 0x13, flags, byte(), byte(), 127, 0, 0, 1, byte(), byte()]),
    ...(flags & 1 ? [bytes(32)] : []),
    ...(flags & 2 ? [bytes(32)] : []),
    Buffer.from([byte() % 12]),
    ...(flags & 8 ? [random() < 0.5 ? target : bytes(32)] : []),
    ...(flags & 16 ? [Buffer.from([value.length]), value] : []),
  ]
  const whole = Buffer.concat(parts)
  return random() < 0.2 ? whole.subarray(0, byte() % whole.length) : whole
}
