import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Millis, NodeId } from '../../../src/events/index.ts'
import type { Overlay } from '../../../src/network/index.ts'
import { startNode } from '../../../src/roles/compose.ts'
import { HeldOff } from '../../../src/roles/node/held-off.ts'
import { METRICS, startMetrics } from '../../../src/roles/node/metrics.ts'
import type { RunningNode } from '../../../src/roles/start.ts'
import { document, tableAfter } from '../../docs/documents.ts'
import { joiningAs } from '../../events/test-network.ts'

describe('metrics', () => {
  let directory: string
  let running: RunningNode
  let address: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-metrics-'))
    const place = { dataDirectory: directory, host: '127.0.0.1', port: 0, bootstrap: [] }
    const metrics = { host: '127.0.0.1', port: 0 }
    const joining = joiningAs('bootstrap')
    running = await startNode(
      { role: 'bootstrap', joining, ...place, logLevel: 'silent', metrics },
      new AbortController().signal,
    )
    const at = (await running.node.status()).metrics
    assert.ok(at)
    address = `http://${at.host}:${at.port}`
  })

  after(async () => {
    await running[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  it('are served as text that says the same as the status', async () => {
    const response = await fetch(`${address}/metrics`)
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const { log, role, version } = await running.node.status()
    assert.match(text, new RegExp(`^p2pt_log_events ${log.head}$`, 'm'))
    assert.ok(text.includes(`p2pt_node_info{role="${role}",version="${version}"} 1`))
    assert.match(text, /^p2pt_links\{view="eager"\} 0$/m)
    assert.match(text, /^p2pt_ready 1$/m)
  })

  it('count who is held off, by reason', async () => {
    const heldOff = new HeldOff({ now: () => 1 as Millis })
    for (const why of ['over-budget', 'used', 'over-budget']) heldOff.note('00'.repeat(32) as NodeId, why)
    const overlay = { status: () => ({ links: [] }) as unknown as ReturnType<Overlay['status']> }
    await using served = await startMetrics({ host: '127.0.0.1', port: 0 }, { overlay, heldOff, status: running.node.status })
    const text = await (await fetch(`http://127.0.0.1:${served.port}/metrics`)).text()
    assert.match(text, /^p2pt_held_off_total\{reason="over-budget"\} 2$/m)
    assert.match(text, /^p2pt_held_off_total\{reason="used"\} 1$/m)
  })

  it('are served on after connections could not be taken', async () => {
    let server: Server | undefined
    const onRequest = (message: unknown) => {
      server = (message as { server: Server }).server
    }
    subscribe('http.server.request.start', onRequest)
    assert.equal((await fetch(`${address}/metrics`)).status, 200)
    unsubscribe('http.server.request.start', onRequest)
    assert.ok(server)
    // As Node tells of an accept that failed for want of descriptors.
    for (let count = 0; count < 3; count++) server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    assert.equal((await fetch(`${address}/metrics`)).status, 200)
  })

  it('have a help and a type for each name, and none that is not in the reference', async () => {
    const text = await (await fetch(`${address}/metrics`)).text()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type])
    const reference = tableAfter(document('docs/metrics.md'), '# Metrics')
    assert.deepEqual(types.sort(), reference.map(([name, type]) => [name?.replaceAll('`', ''), type]).sort())
    assert.deepEqual(
      METRICS.map(({ help, labels = [] }) => [labels.join(', '), help]),
      reference.map(([, , labels, help]) => [labels, help]),
    )
  })

  it('count only upwards, however often they are asked for', async () => {
    const cpu = async () =>
      Number(/^process_cpu_seconds_total (\S+)$/m.exec(await (await fetch(`${address}/metrics`)).text())?.[1])
    const first = await cpu()
    assert.ok((await cpu()) >= first && first > 0)
  })

  it('are at one path only', async () => {
    assert.equal((await fetch(`${address}/`)).status, 404)
    assert.equal((await fetch(`${address}/metrics`, { method: 'POST' })).status, 404)
  })

  it('that cannot be served keep the node from starting, with a sentence', async () => {
    const other = await mkdtemp(join(tmpdir(), 'p2pt-metrics-'))
    const port = Number(address.split(':').at(-1))
    const place = { dataDirectory: other, host: '127.0.0.1', port: 0, bootstrap: [] }
    const start = startNode(
      {
        role: 'bootstrap',
        joining: joiningAs('bootstrap'),
        ...place,
        logLevel: 'silent',
        metrics: { host: '127.0.0.1', port },
      },
      new AbortController().signal,
    )
    await assert.rejects(start, /metrics cannot be served at 127\.0\.0\.1/)
    await rm(other, { recursive: true, force: true })
  })
})
