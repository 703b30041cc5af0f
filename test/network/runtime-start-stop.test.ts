import assert from 'node:assert/strict'
import type { Appender, Event, Timers } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import { HOLD_BACK_MS } from '../../src/network/gossip/intake.ts'
import { createOverlay } from '../../src/network/index.ts'
import { MemoryNetwork, type MemoryTransport } from '../../src/network/transport.memory.ts'
import { noUpcast, signerOf } from '../events/samples.ts'
import { verifySignature } from '../events/test-network.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { OPEN_RULES } from './open-rules.ts'

const ADDRESS = { host: '10.0.0.1', port: 1, dhtPort: 0 }

describe('the start and the end of an overlay', () => {
  const time = new VirtualTime()
  let network: MemoryNetwork
  let notices: string[]
  const stopping: (() => Promise<void>)[] = []
  let timersSet = 0
  const timers: Timers = {
    after(delayMs, run) {
      timersSet++
      return time.after(delayMs, run)
    },
  }
  beforeEach(() => {
    notices = []
    network = new MemoryNetwork({ clock: time, timers: time, random: () => 0.5, latencyMs: () => 5, discoveredLinks: 1 })
  })
  afterEach(async () => {
    for (const stop of stopping.splice(0)) await time.wait(stop())
    assert.deepEqual(notices, [])
  })

  /** A node that has not started; its log takes so long for each of its own events. */
  const nodeOf = (number: number, appendMs = 0) => {
    const log = openMemoryLog({ signer: signerOf(number), clock: time, upcast: noUpcast })
    const slow: Appender = {
      async append(...drafts) {
        await new Promise<void>((resolve) => time.after(appendMs, resolve))
        return log.append(...drafts)
      },
    }
    const appender = appendMs > 0 ? slow : log
    const transport = network.create(log.author, { host: '10.0.0.1', port: number })
    const overlay = createOverlay({
      ...{ role: 'index', software: 'test', incarnation: 3, transport, log, appender, verify: verifySignature },
      ...{ rules: OPEN_RULES, clock: time, timers, random: () => 0.5, onNotice: (text) => notices.push(text) },
    })
    stopping.push(() => overlay.stop())
    const start = (signal = new AbortController().signal) => overlay.start(signal)
    return { log, transport, overlay, start }
  }
  type Node = ReturnType<typeof nodeOf>
  const said = async ({ log }: Node, kind: Event['kind']) => {
    const events = []
    for await (const { event } of log.read()) if (event.kind === kind) events.push(event)
    return events
  }
  /** Starts when it is let. */
  const gated = (transport: MemoryTransport) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const start = transport.start.bind(transport)
    transport.start = async (signal) => {
      await promise
      await start(signal)
    }
    return { opens: resolve, fails: reject }
  }

  it('says that the node is here once others can reach it, and where', async () => {
    const node = nodeOf(1)
    const { opens } = gated(node.transport)
    let isStarted = false
    const started = node.start().then(() => {
      isStarted = true
    })
    await time.advance(10_000)
    assert.deepEqual([isStarted, node.log.head], [false, 0])
    opens()
    await started
    await time.advance(0)
    assert.deepEqual(await said(node, 'member.alive'), [
      { kind: 'member.alive', subject: node.log.author, incarnation: 3, role: 'index', ...ADDRESS },
    ])
  })

  it('fails where the transport cannot start, and leaves nothing behind', async () => {
    const node = nodeOf(1)
    const { fails } = gated(node.transport)
    fails(new Error('no sockets'))
    await assert.rejects(node.start(), /no sockets/)
    const set = timersSet
    await time.advance(60_000)
    assert.deepEqual([node.log.head, timersSet], [0, set])
  })

  it('happens once', async () => {
    const node = nodeOf(1)
    await node.start()
    await assert.rejects(node.start(), /starts once/)
    await time.wait(node.overlay.stop())
    await assert.rejects(node.start(), /starts once/)
  })

  it('does not begin what was stopped meanwhile', async () => {
    const node = nodeOf(1)
    const { opens } = gated(node.transport)
    const started = node.start()
    await time.wait(node.overlay.stop())
    const { head } = node.log
    opens()
    await started
    await time.advance(60_000)
    assert.deepEqual([node.log.head, await said(node, 'member.alive')], [head, []])
  })

  it('tells the others of the end before the links go, however slow the log is', async () => {
    const other = nodeOf(2)
    await other.start()
    const node = nodeOf(1, 300)
    await node.start()
    await time.advance(3_000)
    assert.equal(other.overlay.member(node.log.author)?.state, 'alive')
    const from = time.now()
    await time.wait(node.overlay.stop())
    assert.equal(time.now() - from, 350, 'the log, and a moment for the goodbye to leave')
    await time.advance(HOLD_BACK_MS)
    assert.equal(other.overlay.member(node.log.author)?.state, 'left')
  })

  it('waits for nobody where there is no link, and is one however often it is asked for', async () => {
    const node = nodeOf(1)
    await node.start()
    await time.advance(100)
    const from = time.now()
    const ends = [node.overlay.stop(), node.overlay.stop()]
    assert.equal(ends[0], ends[1])
    await time.wait(node.overlay.stop())
    assert.ok(time.now() - from <= 1)
    assert.equal((await said(node, 'member.left')).length, 1)
    assert.equal(node.transport.isUp, false)
  })

  it('tells offences of the last minute at the end', async () => {
    const node = nodeOf(1)
    await node.start()
    const peer = network.create(signerOf(9).id, { host: '10.0.0.9', port: 9 })
    peer.listen({ linked: () => {}, unlinked: () => {}, refused: () => {}, message: () => {} })
    await peer.start(new AbortController().signal)
    await time.wait(peer.dial(node.log.author))
    for (let count = 0; count < 2; count++) peer.send(node.log.author, Uint8Array.of(0xff, 0xff, 0xff))
    await time.advance(100)
    assert.equal((await said(node, 'event.quarantined')).length, 1)
    assert.equal(node.overlay.status().quarantined, 2)
    await time.wait(node.overlay.stop())
    assert.equal((await said(node, 'event.quarantined')).length, 2)
    await peer[Symbol.asyncDispose]()
  })

  it('has no timer run afterwards, and no link made', async () => {
    const other = nodeOf(2)
    await other.start()
    const node = nodeOf(1)
    await node.start()
    await time.advance(2_000)
    await time.wait(node.overlay.stop())
    let reads = 0
    const read = node.log.readSignedAt.bind(node.log)
    node.log.readSignedAt = (seqs) => {
      reads++
      return read(seqs)
    }
    await node.log.append([
      { event: { kind: 'member.alive', subject: node.log.author, incarnation: 9, role: 'index', ...ADDRESS } },
    ])
    const { head } = node.log
    await time.advance(600_000)
    assert.deepEqual([node.log.head, node.transport.links(), reads], [head, [], 0], 'nor hears of the log')
    assert.deepEqual(node.overlay.status().links, [])
  })
})
