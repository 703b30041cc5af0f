import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ClientService } from '../src/roles/index.ts'
import { build } from '../test/cli/program.ts'
import { clientOf, resultOf } from '../test/cluster/client-nodes.ts'
import { Cluster } from '../test/cluster/cluster.ts'
import { loopback } from '../test/cluster/hosts.ts'
import type { Bench, BenchContext } from './harness.ts'

// How close running clients keep to limits of rates: of all torrents and of one, of downloads and of uploads, with one peer and with
// four, each rate set while the download runs and measured from that moment. What counts is what came to the other side.
// 10 s each, 30 with --full; `--only NAME` takes one kind, such as `downloads`.

const MB = 1_000_000
const PEERS = [1, 4]
/** MB/s, one after the other. */
const RATES = [1, 5, 20, 5, 1]
const SECONDS = 10
const SECONDS_FULL = 30
/** Off the rate by more, either way, is a miss. */
const SHARE = 0.05
/** Room for what is read before the first limit. */
const SPARE_BYTES = 200 * MB

type Kind = { readonly name: string; readonly isUpload: boolean; readonly ofTorrent: boolean }
const KINDS: readonly Kind[] = [
  { name: 'downloads', isUpload: false, ofTorrent: false },
  { name: 'downloads of a torrent', isUpload: false, ofTorrent: true },
  { name: 'uploads', isUpload: true, ofTorrent: false },
  { name: 'uploads of a torrent', isUpload: true, ofTorrent: true },
]

const bench: Bench = async (context) => {
  build()
  const { full, only, seconds = full ? SECONDS_FULL : SECONDS, note } = context
  const peersMax = Math.max(...PEERS)
  const hosts = await loopback(2 + peersMax)
  const cluster = new Cluster(hosts, { bootstraps: 1, clients: 1 + peersMax, clientFlags: () => ['--plain-peers'] })
  const directory = mkdtempSync(join(tmpdir(), 'p2pt-bench-limits-'))
  try {
    await cluster.startInGroups(2)
    const clients = await Promise.all(cluster.nodes.slice(1).map(clientOf))
    const ports = cluster.nodes.slice(1).map(({ index }) => hosts.port(index))
    for (const kind of KINDS) {
      if (only !== undefined && only !== kind.name) continue
      for (const peers of PEERS) {
        note(`${kind.name}, ${peers} of the other side`)
        await measure(context, kind, peers, { clients, ports, directory, seconds })
      }
    }
  } finally {
    await cluster.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

export default bench

type Lab = {
  readonly clients: readonly ClientService[]
  readonly ports: readonly number[]
  readonly directory: string
  readonly seconds: number
}

/** One client is limited; the others send to it, or receive from it. */
async function measure(context: BenchContext, kind: Kind, peers: number, { clients, ports, directory, seconds }: Lab) {
  const [limited, ...others] = clients.slice(0, 1 + peers)
  if (limited === undefined) throw new Error('no client')
  const file = join(directory, `${kind.name} ${peers}.bin`)
  writeFileSync(file, '')
  // Nothing but zeros: what is measured does not look at them, and the disk is left alone.
  truncateSync(
    file,
    RATES.reduce((sum, rate) => sum + rate * seconds * MB, SPARE_BYTES),
  )
  const seeders = kind.isUpload ? [limited] : others
  const leechers = kind.isUpload ? others : [limited]
  let [magnet, infoHash] = ['', '']
  for (const seeder of seeders) ({ magnet, infoHash } = await resultOf(seeder.publish({ path: file })))
  const limit = async (rate: number) => {
    const rates = kind.isUpload ? { uploadBytesPerSecond: rate } : { downloadBytesPerSecond: rate }
    if (kind.ofTorrent) await limited.limit(infoHash, rates)
    else await limited.configure(rates)
  }
  const from = seeders.map((seeder) => `&x.pe=127.0.0.1:${ports[clients.indexOf(seeder)]}`).join('')
  // What leechers have of each other was no upload of the one that is limited.
  const came = async (): Promise<number> => {
    const rows = await Promise.all(leechers.map(async (leecher) => rowOf(leecher, infoHash)))
    return rows.reduce((sum, { downloadedBytes, uploadedBytes }) => sum + downloadedBytes - uploadedBytes, 0)
  }
  if (kind.isUpload || !kind.ofTorrent) await limit(MB)
  for (const [at, leecher] of leechers.entries()) {
    await leecher.add({ magnet: `${magnet}${from}`, directory: join(directory, `into-${at}`) })
  }
  if (!kind.isUpload && kind.ofTorrent) await limit(MB)
  for (const until = Date.now() + 30_000; (await came()) === 0; await wait(50)) {
    if (Date.now() > until) throw new Error('the download did not begin')
  }
  await wait(2_000)
  for (const [at, rate] of RATES.entries()) {
    const before = await came()
    const startedAt = performance.now()
    await limit(rate * MB)
    await wait(seconds * 1_000)
    const bytes = (await came()) - before
    const passed = (performance.now() - startedAt) / 1_000
    context.report({
      name: `${kind.name}, ${RATES[at - 1] ?? rate} to ${rate} MB/s, ${peers} ${kind.isUpload ? 'leechers' : 'seeders'}`,
      value: bytes / passed / MB / rate,
      unit: 'of the limit',
      target: { between: [1 - SHARE, 1 + SHARE] },
    })
  }
  await limit(0)
  for (const leecher of leechers) await leecher.remove(infoHash, { deleteFiles: true })
  for (const seeder of seeders) await seeder.remove(infoHash, { deleteFiles: false })
  rmSync(file)
}

async function rowOf(client: ClientService, infoHash: string) {
  const row = (await client.clientStatus()).torrents.find((each) => each.infoHash === infoHash)
  if (row === undefined) throw new Error('it has no such torrent')
  return row
}
