import assert from 'node:assert/strict'
import type { Clock, Millis, NodeId } from '../../src/events/index.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { MemoryNetwork, type MemoryNetworkOptions, type MemoryTransport } from '../../src/network/transport.memory.ts'
import { MESSAGE_BYTES_MAX } from '../../src/network/transport.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { type TransportFixture, transportContract } from './transport.contract.ts'

/** Between any two looks at it a millisecond has passed. */
const hurriedClock = (): Clock => {
  let now = 0
  return { now: () => ++now as Millis }
}

for (const [name, clock] of [
  ['memory', () => systemClock],
  ['memory, whose two ends open in different milliseconds', hurriedClock],
] as const)
  transportContract(name, () => memoryFixture(clock()))

async function memoryFixture(clock: Clock): Promise<TransportFixture> {
  const network = new MemoryNetwork({ clock, timers: systemTimers, random: () => 0.5 })
  const created: MemoryTransport[] = []
  return {
    async create(door) {
      const index = created.length + 1
      const transport = network.create(index.toString(16).padStart(64, '0') as NodeId, { host: '127.0.0.1', port: index }, door)
      created.push(transport)
      return transport
    },
    async [Symbol.asyncDispose]() {
      for (const transport of created) await transport[Symbol.asyncDispose]()
    },
  }
}

describe('a network in memory, on a virtual clock', () => {
  const LATENCY_MS = 10
  const TIMEOUT_MS = 8_000
  const peerOf = (index: number) => index.toString(16).padStart(64, '0') as NodeId
  const networkOf = (options: Partial<MemoryNetworkOptions> = {}) => {
    const time = new VirtualTime(0)
    const sent: string[] = []
    const network = new MemoryNetwork({
      ...{ clock: time, timers: time, random: () => 0.5, latencyMs: () => LATENCY_MS, linkTimeoutMs: TIMEOUT_MS },
      onMessage: (from, to, bytes) => sent.push(`${Number(from)} to ${Number(to)}: ${bytes}`),
      ...options,
    })
    const told: string[] = []
    const create = async (index: number) => {
      const transport = network.create(peerOf(index), { host: '10.0.0.1', port: index })
      transport.listen({
        linked: ({ peer, initiator }) => told.push(`${index} up ${Number(peer)}${initiator ? ' dialled' : ''}`),
        unlinked: (peer, why) => told.push(`${index} lost ${Number(peer)} ${why} at ${time.now()}`),
        refused: () => {},
        message: (from, [byte]) => told.push(`${index} heard ${byte} of ${Number(from)} at ${time.now()}`),
      })
      await transport.start(new AbortController().signal)
      return transport
    }
    return { time, network, told, sent, create }
  }
  const pair = async (options: Partial<MemoryNetworkOptions> = {}) => {
    const { create, ...rest } = networkOf(options)
    const [a, b] = [await create(1), await create(2)]
    assert.equal(await rest.time.wait(a.dial(b.self)), true)
    await rest.time.advance(0)
    assert.deepEqual(rest.told.splice(0).sort(), ['1 up 2 dialled', '2 up 1'])
    return { ...rest, create, a, b, linkedAt: rest.time.now() }
  }

  it('takes a round trip for a dial, and none where there is a link', async () => {
    const { time, a, b, linkedAt } = await pair()
    assert.equal(linkedAt, 2 * LATENCY_MS)
    let linked: boolean | undefined
    void a.dial(b.self).then((is) => {
      linked = is
    })
    await time.advance(0)
    assert.equal(linked, true)
    assert.deepEqual([await a.dial(a.self), await time.wait(a.dial(peerOf(9)))], [false, false])
  })

  it('brings messages in the order in which they were sent, each as late as its way is long', async () => {
    let latencyMs = LATENCY_MS
    const { time, a, b, told, sent, linkedAt } = await pair({ latencyMs: () => latencyMs })
    a.send(b.self, Uint8Array.of(1))
    latencyMs = 2
    a.send(b.self, Uint8Array.of(2))
    await time.advance(LATENCY_MS - 1)
    assert.deepEqual(told, [])
    await time.advance(1)
    assert.deepEqual(
      told.splice(0),
      [1, 2].map((byte) => `2 heard ${byte} of 1 at ${linkedAt + LATENCY_MS}`),
    )
    b.send(a.self, Uint8Array.of(3))
    await time.advance(2)
    assert.deepEqual([told.length, sent], [1, ['1 to 2: 1', '1 to 2: 2', '2 to 1: 3']])
  })

  it('loses messages, or brings them twice, as often as it is told to', async () => {
    const { time, network, a, b, told } = await pair()
    // A draw of 0.5 is below neither of these.
    Object.assign(network.faults, { loss: 0.5, duplication: 0.5 })
    a.send(b.self, Uint8Array.of(1))
    await time.advance(LATENCY_MS)
    assert.equal(told.splice(0).length, 1)
    network.faults.duplication = 0.6
    a.send(b.self, Uint8Array.of(1))
    await time.advance(LATENCY_MS)
    assert.equal(told.splice(0).length, 2)
    network.faults.loss = 0.6
    assert.equal(a.send(b.self, Uint8Array.of(1)), true, 'nobody is told')
    await time.advance(LATENCY_MS)
    assert.equal(told.length, 0)
  })

  it('brings nothing over a link that is gone when it arrives', async () => {
    const { time, a, b, told } = await pair()
    a.send(b.self, Uint8Array.of(1))
    b.drop(a.self, 'stopped')
    await time.advance(LATENCY_MS)
    assert.ok(!told.some((each) => each.includes('heard')), told.join())
  })

  it('sends nothing without a link, and no message that is too long', async () => {
    const { a, b, create } = await pair()
    const other = await create(3)
    assert.equal(other.send(a.self, Uint8Array.of(1)), false)
    assert.deepEqual(
      [MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1].map((length) => a.send(b.self, new Uint8Array(length))),
      [true, false],
    )
  })

  it('loses a link after its time-out when the network is cut, counted from the cut', async () => {
    const { time, network, a, b, told } = await pair()
    network.partition(() => 1)
    await time.advance(TIMEOUT_MS / 2)
    const cutAt = time.now()
    a.send(b.self, Uint8Array.of(1))
    network.partition((node) => (node === a.self ? 1 : 2))
    assert.equal(network.reaches(a.self, b.self), false)
    await time.advance(TIMEOUT_MS / 2)
    network.partition((node) => (node === a.self ? 1 : 2))
    await time.advance(TIMEOUT_MS / 2 - 1)
    assert.deepEqual([told.length, a.links().length], [0, 1], 'nothing has arrived, and the link still stands')
    await time.advance(1)
    assert.deepEqual(
      told,
      [1, 2].map((end) => `${end} lost ${3 - end} timeout at ${cutAt + TIMEOUT_MS}`),
    )
    assert.equal(await time.wait(a.dial(b.self)), false)
    network.heal()
    assert.equal(await time.wait(a.dial(b.self)), true)
  })

  it('keeps a link over a cut that is shorter than its time-out, and starts anew with the next', async () => {
    const { time, network, a, told } = await pair()
    const cut = () => network.partition((node) => (node === a.self ? 1 : 2))
    cut()
    await time.advance(TIMEOUT_MS - 1)
    network.heal()
    await time.advance(TIMEOUT_MS)
    assert.deepEqual(told, [])
    cut()
    await time.advance(TIMEOUT_MS)
    assert.equal(told.length, 2)
  })

  it('has the other end of a crash find out by itself', async () => {
    const { time, a, b, told, create } = await pair()
    const crashedAt = time.now()
    a.crash()
    assert.deepEqual([a.links(), a.isUp, a.endpoint], [[], false, undefined])
    await time.advance(TIMEOUT_MS - 1)
    assert.equal(b.links().length, 1)
    await time.advance(1)
    assert.deepEqual(told.splice(0), [`2 lost 1 timeout at ${crashedAt + TIMEOUT_MS}`])
    const again = await create(1)
    assert.equal(await time.wait(again.dial(b.self)), true)
    await time.advance(0)
    assert.equal(told.length, 2)
  })

  it('lets nodes find as many others as they are to have, and no more', async () => {
    const { time, told, create } = networkOf({ discoveredLinks: 1, discoveryEveryMs: 1_000, random: () => 0.9 })
    const transports = [await create(1), await create(2)]
    await time.advance(3_000)
    assert.deepEqual(
      transports.map((transport) => transport.links().length),
      [1, 1],
    )
    assert.equal(told.length, 2)
    for (const transport of transports) await transport[Symbol.asyncDispose]()
    told.length = 0
    await time.advance(10_000)
    assert.deepEqual(told, [], 'a node that has ended looks for nobody')
  })
})
