import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Dht from 'bittorrent-dht'
import { connectNode } from '../../src/control/index.ts'
import type { InfoHash } from '../../src/events/index.ts'
import type { SourceRow } from '../../src/roles/services.ts'
import { encodeLsd, LSD_GROUPS, LSD_PORT } from '../../src/torrent/sources/lsd-message.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { until } from '../roles/until.ts'
import { hostileSources } from '../torrent/hostile-sources.ts'

/** Of a client that is attacked; it has some 150, attacked or not. */
const MEMORY_MB_MAX = 320
const SIZE = 6_000_000
const WITHIN_MS = 60_000

describe('a running client with a public torrent', function () {
  this.timeout(180_000)
  let directory: string
  const nodes: NodeProcess[] = []
  const closes: (() => unknown)[] = []

  const start = async (role: string, name: string, ...flags: string[]) => {
    const words = [role, 'start', '--json', '--data', join(directory, name), '--host', '127.0.0.1', '--port', '0', ...flags]
    const node = await startNode(words)
    nodes.push(node)
    return { node, ports: (JSON.parse(node.ready) as { ports: { overlay: number; torrent: number } }).ports }
  }

  before(async () => {
    build()
    directory = await mkdtemp(join(tmpdir(), 'p2pt-hostile-sources-'))
  })

  after(async () => {
    for (const { child } of nodes) child.kill('SIGTERM')
    await Promise.all(nodes.map(({ ended }) => ended))
    for (const close of closes.reverse()) await close()
    await rm(directory, { recursive: true, force: true })
  })

  it('stays up and ends its download, whatever trackers, web seeds, the public DHT and the local network do', async () => {
    const ring = new Dht({ bootstrap: [], maxAge: 60_000 })
    await new Promise<void>((resolve) => ring.listen(0, '127.0.0.1', resolve))
    closes.push(() => new Promise<void>((resolve) => ring.destroy(() => resolve())))
    const announced: string[] = []
    ring.on('announce', (_peer: unknown, infoHash: Uint8Array) => announced.push(Buffer.from(infoHash).toString('hex')))
    const hostile = await hostileSources()
    closes.push(() => hostile.close())

    const { ports } = await start('bootstrap', 'bootstrap')
    const bootstrap = ['--bootstrap', `127.0.0.1:${ports.overlay}`]
    await start('client', 'seeder', ...bootstrap, '--upload-limit', '2MB')
    const publicDht = ['--public-dht', `127.0.0.1:${ring.address().port}`, '--local-discovery']
    const { node: leecher } = await start('client', 'leecher', ...bootstrap, ...publicDht)
    const file = join(directory, 'survey.bin')
    const bytes = randomBytes(SIZE)
    await writeFile(file, bytes)
    const published = await p2pt(['client', 'publish', file, '--json', '--data', join(directory, 'seeder')])
    assert.equal(published.exit, 0, published.stderr + published.stdout)
    const { client: seeding } = await connectNode(join(directory, 'seeder'))
    const [row] = (await seeding.clientStatus()).torrents
    assert.ok(row)
    const infoHash = row.infoHash as InfoHash

    const { client } = await connectNode(join(directory, 'leecher'))
    const trackers = hostile.trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('')
    const webSeeds = hostile.webSeeds.map((url) => `&ws=${encodeURIComponent(url)}`).join('')
    await client.add({ magnet: `${row.magnet}${trackers}${webSeeds}`, public: true })

    let rows: readonly SourceRow[] = []
    const rowOf = (kind: string) => rows.find((each) => each.kind === kind)
    const untilSources = (what: string, is: () => boolean) =>
      until(
        what,
        async () => {
          rows = (await client.sources(infoHash)).sources
          return is()
        },
        WITHIN_MS,
      )
    await untilSources('it is on the local network', () => rowOf('local')?.state === 'works')

    // A stranger on the network names a thousand doors, of this machine and of others.
    const stranger = createSocket('udp4')
    closes.push(() => stranger.close())
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.9', resolve))
    stranger.setMulticastInterface('127.0.0.1')
    for (let port = 1; port <= 3_000; port++) {
      stranger.send(encodeLsd({ port, infoHashes: [infoHash], cookie: undefined }, 4), LSD_PORT, LSD_GROUPS[4])
      stranger.send(randomBytes(1_400), LSD_PORT, LSD_GROUPS[4])
      if (port % 50 === 0) await turn()
    }

    await untilSources('it heard the stranger', () => (rowOf('local')?.peers ?? 0) > 0)
    await until('it is whole', async () => (await client.clientStatus()).torrents[0]?.state === 'seeding', WITHIN_MS)
    const digest = (of: Uint8Array) => createHash('sha256').update(of).digest('hex')
    assert.equal(digest(await readFile(join(directory, 'leecher', 'downloads', 'survey.bin'))), digest(bytes))
    assert.equal(leecher.child.exitCode, null)

    const shown = await p2pt(['client', 'sources', infoHash, '--json', '--data', join(directory, 'leecher')])
    assert.equal(shown.exit, 0, shown.stderr)
    const { public: isPublic, dht, local, sources } = JSON.parse(shown.stdout)
    assert.deepEqual([isPublic, dht, local], [true, true, true])
    await untilSources('it is in the DHT', () => rowOf('dht')?.announcedAt !== null)
    assert.ok(announced.includes(infoHash))
    assert.equal(rowOf('dht')?.nodes, 1)
    for (const what of ['endless', 'circle', 'a-bomb']) {
      const { state, problem } = sources.find(({ url }: { url: string }) => url.endsWith(`/announce-${what}`))
      assert.equal(state, 'fails')
      assert.ok(problem.length > 0)
    }
    const text = await p2pt(['client', 'sources', infoHash, '--data', join(directory, 'leecher')])
    assert.doesNotMatch(text.stdout, /\u001b\[31m/)
    assert.match(text.stdout, /the public DHT/)

    if (process.platform === 'linux') {
      const most = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${leecher.child.pid}/status`, 'utf8'))?.[1]
      assert.ok(Number(most) / 1_000 < MEMORY_MB_MAX, `${most} kB of memory`)
    }
  })
})
