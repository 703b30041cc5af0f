import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from '../cli/program.ts'
import { Cluster } from './cluster.ts'
import { loopback } from './hosts.ts'

const PEER = join(import.meta.dirname, '../network/hostile-peer.ts')
const MEMORY_BYTES_MAX = 200e6
const GONE_MS_MAX = 5_000

// On loopback, without root: a handful of real nodes, and a process that links with one of them and means no good.
describe('real nodes and a hostile peer, on loopback', function () {
  this.timeout(120_000)
  let cluster: Cluster

  before(async () => {
    build()
    cluster = new Cluster(await loopback(5), { bootstraps: 1, clients: 1 })
    cluster.startAll()
    await cluster.allAliveWithin(30)
  })

  after(() => cluster?.end())

  const WAYS = { deaf: 'never reads', flood: 'floods at full speed', fuzz: 'sends noise' }
  for (const [mode, what] of Object.entries(WAYS)) {
    it(`that ${what}: gone in 5 s, every node below 200 MB, no event lost`, async () => {
      const victim = cluster.at(1)
      let most = 0
      const watch = setInterval(() => {
        for (const node of cluster.running) most = Math.max(most, node.memoryBytes)
      }, 100)
      try {
        const port = String(cluster.hosts.port(victim.index))
        const peer = spawn(process.execPath, [PEER, victim.id, port, mode, cluster.ownerFolder], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const gone = once(peer, 'exit')
        const [key] = await once(peer.stdout, 'data')
        const from = performance.now()
        // Somebody goes and comes back meanwhile: that is to be told to all.
        const other = cluster.at(3)
        const away = other.kill('SIGTERM')
        const timer = setTimeout(() => peer.kill('SIGKILL'), 2 * GONE_MS_MAX)
        await gone
        clearTimeout(timer)
        const tookMs = performance.now() - from
        assert.ok(tookMs < GONE_MS_MAX, `the peer was there for ${Math.round(tookMs)} ms`)
        const links = await victim.ask((node) => node.links())
        assert.ok(links?.every(({ peer: linked }) => linked !== String(key).trim()))
        await away
        other.start()
        await cluster.allAliveWithin(15)
        await cluster.sameEventsWithin(10)
        assert.ok(most > 0 && most < MEMORY_BYTES_MAX, `a node took ${Math.round(most / 1e6)} MB`)
      } finally {
        clearInterval(watch)
      }
    })
  }
})
