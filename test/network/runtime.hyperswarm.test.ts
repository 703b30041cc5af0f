import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { EventLog, InfoHash } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { createOverlay, type Endpoint, type OverlayRuntime } from '../../src/network/index.ts'
import { createHyperswarmTransport, type HyperswarmTransport } from '../../src/network/transport.hyperswarm.ts'
import { TEST_NETWORK, verifySignature } from '../events/test-network.ts'
import { OPEN_RULES } from './open-rules.ts'

type Node = { overlay: OverlayRuntime; transport: HyperswarmTransport; log: EventLog }

const TOPIC = new Uint8Array(32).fill(3)

describe('overlay on hyperswarm', () => {
  const open: Node[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map(({ overlay }) => overlay.stop()))
  })

  function create(role: 'bootstrap' | 'index' | 'client', bootstrap: readonly Endpoint[]): Node {
    const seed = randomBytes(32)
    const log = openMemoryLog({
      signer: signerFromSeed(seed, TEST_NETWORK),
      clock: systemClock,
      upcast: (_kind, _version, payload) => payload,
    })
    const common = { role, clock: systemClock, timers: systemTimers, random: Math.random }
    const transport = createHyperswarmTransport({ ...common, seed, host: '127.0.0.1', port: 0, bootstrap, topic: TOPIC })
    const overlay = createOverlay({
      ...common,
      software: 'test',
      incarnation: 1,
      transport,
      log,
      appender: log,
      verify: verifySignature,
      rules: OPEN_RULES,
    })
    const node = { overlay, transport, log }
    open.push(node)
    return node
  }

  /** Resolves when the condition holds, looked at after everything that a log takes up, and every now and then. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  const believes = (node: Node, of: Node, state: string) => node.overlay.member(of.overlay.self)?.state === state

  it('links nodes that start together, spreads events, answers requests, and sees who goes', async () => {
    const signal = new AbortController().signal
    const bootstrap = create('bootstrap', [])
    await bootstrap.overlay.start(signal)
    const known = [bootstrap.transport.endpoint].filter((endpoint) => endpoint !== undefined)
    const a = create('index', known)
    const b = create('index', known)
    const client = create('client', known)
    await Promise.all([a, b, client].map(({ overlay }) => overlay.start(signal)))
    const members = [bootstrap, a, b]
    const allKnown = (node: Node) => members.every((other) => other === node || believes(node, other, 'alive'))
    await until(() => open.every(allKnown))

    await client.log.append([
      {
        event: { kind: 'piece.judged', subject: a.overlay.self, infoHash: '0'.repeat(40) as InfoHash, good: [], bad: [] },
      },
    ])
    await until(() => open.every(({ log }) => log.versionVector().get(client.overlay.self) === 1))

    b.overlay.serve('echo', async (_from, body) => body)
    assert.deepEqual([...(await client.overlay.request(b.overlay.self, 'echo', Uint8Array.of(1, 2, 3)))], [1, 2, 3])

    await a.overlay.stop()
    await until(() => [bootstrap, b, client].every((node) => believes(node, a, 'left')))
    // Without a goodbye, as a crash.
    await b.transport[Symbol.asyncDispose]()
    await until(() => [bootstrap, client].every((node) => believes(node, b, 'dead')))
  })
})
