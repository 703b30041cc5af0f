import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { ClientService } from '../src/roles/index.ts'
import { build } from '../test/cli/program.ts'
import { clientOf, resultOf } from '../test/cluster/client-nodes.ts'
import { Cluster } from '../test/cluster/cluster.ts'
import { type Hosts, loopback } from '../test/cluster/hosts.ts'
import type { Bench, BenchContext } from './harness.ts'

// How close running clients keep to limits of rates: of all torrents and of one, of downloads and of uploads, with one peer and with
// four, each rate set while the download runs and measured from that moment. What counts is what came to the other side. And a
// schedule, whose time comes as the clock of the client is put forward. 20 s each, 30 with --full: ten minutes in all; `--only NAME`
// takes one kind, such as `downloads` or `schedule`.

const MB = 1_000_000
const PEERS = [1, 4]
/** MB/s, one after the other. */
const RATES = [1, 5, 20, 1]
const SECONDS = 20
const SECONDS_FULL = 30
/** Off the rate by more, either way, is a miss. */
const SHARE = 0.05
const SCHEDULE = 'schedule'
const SHIFTED_CLOCK = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href
const PLANNED_S = 11
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
  const hosts = shifted(await loopback(2 + peersMax))
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
    if (only === undefined || only === SCHEDULE) await measureSchedule(context, cluster, { clients, ports, directory, seconds })
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

/** Two rates of the day: one from five minutes ago on, one in ten minutes. */
async function measureSchedule(context: BenchContext, cluster: Cluster, { clients, ports, directory, seconds }: Lab) {
  const [before, after] = [2, 8]
  const [limited, seeder] = clients
  if (limited === undefined || seeder === undefined) throw new Error('no client')
  const file = join(directory, 'schedule.bin')
  writeFileSync(file, '')
  truncateSync(file, (2 * after * seconds + after * PLANNED_S) * MB + SPARE_BYTES)
  const { magnet, infoHash } = await resultOf(seeder.publish({ path: file }))
  const at = (offsetMs: number, rate: number) => {
    const time = new Date(Date.now() + offsetMs)
    const when = `${time.getMinutes()} ${time.getHours()} * * *`
    return { when, downloadBytesPerSecond: rate * MB, uploadBytesPerSecond: 0 }
  }
  await limited.configure({ schedule: [at(-300_000, before), at(600_000, after)] })
  await limited.add({ magnet: `${magnet}&x.pe=127.0.0.1:${ports[1]}`, directory: join(directory, 'into-schedule') })
  const rated = async (rate: number, what: string) => {
    const [bytes, startedAt] = [(await rowOf(limited, infoHash)).downloadedBytes, performance.now()]
    await wait(seconds * 1_000)
    const came = (await rowOf(limited, infoHash)).downloadedBytes - bytes
    const value = came / ((performance.now() - startedAt) / 1_000) / MB / rate
    context.report({ name: `${SCHEDULE}, ${what}`, value, unit: 'of the limit', target: { between: [1 - SHARE, 1 + SHARE] } })
  }
  await wait(2_000)
  await rated(before, `${before} MB/s before its time`)
  const status = await cluster.at(1).status()
  if (status === undefined) throw new Error('the client does not answer')
  process.kill(status.pid, 'SIGUSR2')
  // It looks at its schedule that often.
  await wait(PLANNED_S * 1_000)
  await rated(after, `${after} MB/s once its clock is there`)
  await limited.configure({ schedule: [] })
  await limited.remove(infoHash, { deleteFiles: true })
}

/** The client that is limited has a clock that can be put forward. */
const shifted = (hosts: Hosts): Hosts => ({
  ...hosts,
  prefix: (index) => (index === 1 ? ['env', `NODE_OPTIONS=--import=${SHIFTED_CLOCK}`] : hosts.prefix(index)),
})

async function rowOf(client: ClientService, infoHash: string) {
  const row = (await client.clientStatus()).torrents.find((each) => each.infoHash === infoHash)
  if (row === undefined) throw new Error('it has no such torrent')
  return row
}
