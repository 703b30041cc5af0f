import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TorrentRow } from '../../src/roles/index.ts'
import { build } from '../cli/program.ts'
import { Cluster, type ClusterNode } from './cluster.ts'
import { HOME_PORT, type Homes, homes } from './homes.ts'
import { whyNoNamespaces } from './laboratory.ts'

const FILM_BYTES = 3_000_000
const MEMORY_BYTES_MAX = 200e6
/** Sockets and files that a client behind a router has open at most, however long it tries. */
const OPEN_MAX = 150

const why = whyNoNamespaces()

for (const kind of ['port', 'random'] as const) {
  const what = kind === 'port' ? 'that keep ports' : 'that take a new port for each peer'
  describe(`two clients behind routers ${what}${why === undefined ? '' : ` (skipped: ${why})`}`, function () {
    this.timeout(240_000)
    let hosts: Homes
    let cluster: Cluster
    let seeder: ClusterNode
    let seeker: ClusterNode
    let magnet: string
    const films = mkdtempSync(join(tmpdir(), 'p2pt-films-'))
    const film = randomBytes(FILM_BYTES)

    before(function () {
      if (why !== undefined) this.skip()
      build()
      hosts = homes(kind)
      cluster = new Cluster(hosts, { bootstraps: 3, clients: 2 })
      seeder = cluster.at(4)
      seeker = cluster.at(5)
      cluster.startAll()
      writeFileSync(join(films, 'holiday-film.bin'), film)
    })

    afterEach(function () {
      if (this.currentTest?.state === 'failed') for (const node of cluster.nodes) console.error(node.lastWords.slice(-600))
    })

    after(async () => {
      await cluster?.end()
      hosts?.down()
      rmSync(films, { recursive: true, force: true })
    })

    const isLinked = async (): Promise<boolean> =>
      (await seeder.ask((node) => node.links()))?.some(({ peer }) => peer === seeker.id) ?? false

    const download = async (): Promise<TorrentRow | undefined> =>
      (await seeker.askAll(({ client }) => client.clientStatus()))?.torrents[0]

    const complete = (seconds: number): Promise<number> =>
      cluster.within(seconds, 'the film is here', async () => {
        const row = await download()
        return row?.state === 'seeding' ? [] : [`${row?.state}, ${row?.peers} peers`]
      })

    it('both link with every public node, and get all gossip', async () => {
      await cluster.allAliveWithin(30)
      await cluster.within(30, 'linked with all public nodes', async () => {
        const clients = await Promise.all(
          [seeder, seeker].map(async (node) => ({ node, links: await node.ask((n) => n.links()) })),
        )
        return clients.flatMap(({ node, links = [] }) =>
          cluster.nodes
            .filter(({ id, role }) => role !== 'client' && !links.some(({ peer }) => peer === id))
            .map(({ index }) => `${node.index} has no link to ${index}`),
        )
      })
      await cluster.sameEventsWithin(10)
    })

    it('what one publishes, the other finds', async () => {
      const published = await seeder.askAll(async ({ client }) => {
        const progress = client.publish({ path: join(films, 'holiday-film.bin'), title: 'Holiday film' })
        for (let step = await progress.next(); ; step = await progress.next()) if (step.done === true) return step.value
      })
      assert.ok(published, 'it was published')
      await cluster.within(15, 'found', async () => {
        const found = await seeker.askAll(({ client }) => client.search({ text: 'holiday' }))
        const hit = found?.hits[0]
        magnet = hit?.magnet ?? ''
        return hit?.seeders === 1 && hit.publisher === seeder.id ? [] : [JSON.stringify(found)]
      })
    })

    if (kind === 'port') {
      it('they link with each other through holes in both routers', async () => {
        const linkedMs = await cluster.within(60, 'linked', async () => ((await isLinked()) ? [] : ['no link']))
        console.log(`      linked after ${Math.round(linkedMs)} ms`)
      })

      it('one downloads from the other through such a hole, and each knows the other by its key', async () => {
        await seeker.askAll(({ client }) => client.add({ magnet }))
        const tookMs = await complete(60)
        console.log(`      ${FILM_BYTES / 1e6} MB after ${Math.round(tookMs)} ms`)
        const [file = ''] = readdirSync(join(seeker.directory, 'downloads'))
        assert.ok(film.equals(readFileSync(join(seeker.directory, 'downloads', file))))
        const peers = await seeker.askAll(({ client }) => client.torrentPeers({}))
        assert.deepEqual(
          peers?.map(({ peer, host, standing }) => ({ peer, host, standing })),
          [{ peer: seeder.id, host: '198.51.100.11', standing: 'good' }],
        )
      })
    } else {
      it('no hole can be punched: the user is told within 60 s, and nothing grows while it is tried again', async () => {
        await seeker.askAll(({ client }) => client.add({ magnet }))
        const toldMs = await cluster.within(60, 'the user is told', async () => {
          const notices: string[] = []
          await seeker.ask(async (node) => {
            for await (const { code, text } of node.notices({ last: 100 })) {
              notices.push(`${code} ${text}`)
              if (code === 'torrent.unreachable') break
            }
          })
          return notices.some((notice) => notice.startsWith('torrent.unreachable "Holiday film": 1 peer')) ? [] : ['not told']
        })
        console.log(`      told after ${Math.round(toldMs)} ms`)
        const row = await download()
        assert.deepEqual([row?.state, row?.peers, row?.unreached], ['fetching-metadata', 0, 1])
        assert.equal(await isLinked(), false)
        for (const node of [seeder, seeker]) {
          assert.ok(node.memoryBytes < MEMORY_BYTES_MAX, `${node.memoryBytes} bytes`)
          assert.ok(node.openFiles < OPEN_MAX, `${node.openFiles} sockets and files are open`)
        }
      })

      it('and it works, as the user was told, once one router forwards the TCP port', async () => {
        hosts.forward(HOME_PORT)
        const tookMs = await complete(120)
        console.log(`      ${FILM_BYTES / 1e6} MB after ${Math.round(tookMs)} ms`)
        assert.equal((await download())?.unreached, 0)
      })
    }
  })
}
