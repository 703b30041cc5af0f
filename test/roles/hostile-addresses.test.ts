import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Lamport, type Millis, type NodeId, type SignedEvent, signEvent } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { systemClock } from '../../src/events/model/time.system.ts'
import { encodeWire, WIRE_VERSION } from '../../src/network/wire.ts'
import { startNode } from '../../src/roles/compose.ts'
import { openStoppedNode } from '../../src/roles/compose-stopped.ts'
import { openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import type { Progressive } from '../../src/roles/index.ts'
import type { RunningNode, StartOptions } from '../../src/roles/start.ts'
import { noUpcast } from '../events/samples.ts'
import { joiningAs, TEST_NETWORK } from '../events/test-network.ts'
import { hostilePeer } from '../network/hostile-peer.ts'
import { until } from './until.ts'

const BAD = [
  { host: 'victim.example', port: 53 },
  { host: '::1', port: 53 },
  { host: '255.255.255.255', port: 53 },
  { host: '10.0.0.1', port: 0 },
]

const LIAR_SEED = new Uint8Array(32).fill(0x66)
const liar = signerFromSeed(LIAR_SEED, TEST_NETWORK)

/** Signed events in which the liar says that it is a member, and where. */
const lies = (): SignedEvent[] =>
  BAD.map((address, at) => {
    const event = {
      kind: 'member.alive',
      subject: liar.id,
      incarnation: at + 1,
      role: 'index',
      dhtPort: 0,
      ...address,
    } as const
    const stamp = { lamport: (at + 1) as Lamport, authorSeq: at + 1, at: 0 as Millis }
    return signEvent({ stream: 'gossip', event }, stamp, liar)
  })

async function resultOf<R>(call: Progressive<unknown, R>): Promise<R> {
  for (;;) {
    const { done, value } = await call.next()
    if (done) return value as R
  }
}

const heardFrom = async (node: { events: RunningNode['node']['events'] }, author: string): Promise<unknown[]> => {
  const rows: unknown[] = []
  for await (const row of node.events({ author })) rows.push(row)
  return rows
}

describe('an event whose address is none', () => {
  let root: string
  let running: Set<RunningNode>
  const at = (name: string) => join(root, name)
  const optionsOf = (role: StartOptions['role'], name: string, more: Partial<StartOptions> = {}): StartOptions => ({
    ...{
      role,
      joining: joiningAs(role),
      dataDirectory: at(name),
      host: '127.0.0.1',
      port: 0,
      bootstrap: [],
      logLevel: 'silent',
    },
    ...more,
  })
  const start = async (role: StartOptions['role'], name: string, more?: Partial<StartOptions>): Promise<RunningNode> => {
    const node = await startNode(optionsOf(role, name, more), new AbortController().signal)
    running.add(node)
    return node
  }
  const stop = async (node: RunningNode) => {
    running.delete(node)
    await node[Symbol.asyncDispose]()
  }
  const endpointOf = async (node: RunningNode) => {
    const { endpoint } = await node.node.status()
    assert.ok(endpoint)
    return endpoint
  }
  /** Two nodes that are linked. */
  const network = async (first = 'bootstrap') => {
    const bootstrap = await start('bootstrap', first)
    const index = await start('index', 'index', { bootstrap: [await endpointOf(bootstrap)] })
    await until('the link', async () => (await bootstrap.node.links()).length > 0 && (await index.node.links()).length > 0)
    return { bootstrap, index }
  }
  /** Writes the lies into the log of a stopped node, as an earlier version of it did that took them. */
  const store = async (name: string) => {
    using directory = await openDataDirectory(at(name), { role: 'bootstrap', joining: joiningAs('bootstrap') })
    const place = { directory: directory.directory, signer: directory.signer, clock: systemClock, upcast: noUpcast }
    await using log = await openLevelLog(place)
    for (const { outcome } of await log.ingest(lies(), { origin: 'stored', durable: true })) assert.equal(outcome, 'appended')
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-addresses-'))
    running = new Set()
  })
  afterEach(async () => {
    await Promise.all([...running].map((node) => node[Symbol.asyncDispose]()))
    rmSync(root, { recursive: true, force: true })
  })

  it('ends nobody, is kept nowhere, and costs the sender its link', async () => {
    const nodes = await network()
    const { id } = await nodes.index.node.status()
    const peer = await hostilePeer(id, (await endpointOf(nodes.index)).port)
    const send = await peer.open(joiningAs('index').credentialOf(peer.key as NodeId))
    const hello = { type: 'hello', version: WIRE_VERSION, role: 'index', host: '', port: 0, dhtPort: 0 } as const
    send(encodeWire({ ...hello, software: 'liar', transient: false, heard: true }))
    send(encodeWire({ type: 'push', events: lies().map((event) => ({ event, hops: 0 })) }))
    await peer.closed
    await peer.close()
    const offences = async () => {
      const rows: Record<string, unknown>[] = []
      for await (const { event } of nodes.index.node.events({ kinds: ['event.quarantined'] })) rows.push(event)
      return rows.map(({ sender, reason }) => [sender, reason])
    }
    // The link ends in the turn of the offence, the log takes it in a later one.
    await until('the offence to be told', async () => (await offences()).length > 0)
    assert.deepEqual(await offences(), [[peer.key, 'malformed']])
    // Something else crosses meanwhile: what was to come with it would have come.
    const { id: bootstrapId } = await nodes.bootstrap.node.status()
    await until('a ping to cross', async () =>
      (await nodes.index.node.links()).some((link) => link.peer === bootstrapId && link.roundTripMs !== null),
    )
    for (const { node } of Object.values(nodes)) {
      assert.deepEqual(await heardFrom(node, liar.id), [])
      assert.ok(!(await node.members()).some((member) => member.id === liar.id))
    }
  })

  it('does no harm in a log that holds it: the node starts, works, hands it to nobody and counts no damage', async () => {
    await stop(await start('bootstrap', 'bootstrap'))
    await store('bootstrap')
    const { bootstrap, index } = await network()
    // What it says of itself counts for nothing: nobody has admitted it.
    assert.ok(!(await bootstrap.node.members()).some((member) => member.id === liar.id))
    assert.equal((await heardFrom(bootstrap.node, liar.id)).length, BAD.length)
    const { id } = await bootstrap.node.status()
    await until('the index node to hold all that may travel', async () => (await heardFrom(index.node, id)).length > 0)
    assert.deepEqual(await heardFrom(index.node, liar.id), [])
    assert.equal((await index.node.links()).length, 1)
    assert.equal((await index.node.status()).gossip.quarantined, 0)
    assert.equal((await resultOf(bootstrap.node.verify({ signatures: true }))).intact, true)
    await stop(bootstrap)
    await using stopped = await openStoppedNode(at('bootstrap'))
    const verdict = await resultOf(stopped.verify({ signatures: true }))
    assert.deepEqual([verdict.intact, verdict.ranges], [true, []])
  })
})
