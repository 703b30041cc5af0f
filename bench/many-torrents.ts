import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { HonestNetwork } from '../test/attacks/network.ts'
import { clientOf, type remoteOf, resultOf } from '../test/cluster/client-nodes.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import { type BenchContext, median } from './harness.ts'

/** The target's: 5,000 torrents. */
const TARGETS = { residentMb: 400, corePercent: 5, publishMs: 50, statusMs: 200 }
const FILE_BYTES = 40_000
const PUBLISHED_AT_A_TIME = 8
/** Published one by one at the end, to be timed. */
const TIMED = 100
const REST_MS = 30_000
/** What the client does of itself after a start: each torrent is announced twice, twenty a second. */
const SETTLES_PER_SECOND = 9
const SETTLES_MS_MIN = 90_000
const STARTED_WITHIN_MS = 120_000
const DOWNLOADED_WITHIN_MS = 60_000

const NO_READING = { turnMsMax: Number.NaN, delayMsMax: Number.NaN }

/** One client publishes them all, is started again, and rests; then another downloads one of them. */
export async function manyTorrents(context: BenchContext, network: HonestNetwork, directory: string, count: number) {
  const { report, note } = context
  const name = (what: string) => `${count} torrents: ${what}`
  /** What else the machine does counts in the second. */
  const delays = (when: string, { turnMsMax, delayMsMax } = NO_READING) => {
    report({ name: name(`longest turn of the event loop, ${when}`), value: turnMsMax, unit: 'ms of its processor time' })
    report({ name: name(`worst delay of the event loop, ${when}`), value: delayMsMax, unit: 'ms' })
  }
  const holder = network.client(0)
  const folder = join(directory, 'many')
  await mkdir(folder)
  note(`${count} files are published`)
  const bare = holder.memoryBytes
  const paths = Array.from({ length: count }, (_, at) => join(folder, `a file number ${at}.bin`))
  const timed = Math.min(TIMED, count)
  const magnets = await publishAll(holder, paths.slice(0, count - timed), PUBLISHED_AT_A_TIME)
  await network.probe(holder)
  const times: number[] = []
  for (const path of paths.slice(count - timed)) {
    const from = performance.now()
    magnets.push(...(await publishAll(holder, [path], 1)))
    times.push(performance.now() - from)
  }
  report({ name: name('publish, p50'), value: median(times), unit: 'ms', target: { atMost: TARGETS.publishMs } })
  const publishing = await network.probe(holder)
  delays('publishing', publishing)

  note('the client is started again')
  const linked = await restarted(network, holder)
  report({ name: name('links up after'), value: linked.linksMs / 1_000, unit: 's' })
  report({ name: name('all seed after'), value: linked.seedingMs / 1_000, unit: 's' })
  const starting = await network.probe(holder)
  delays('starting', starting)
  const busy = await coreShare(holder, REST_MS)
  report({ name: name('processor while all are announced'), value: busy, unit: '% of a core' })
  const settlesMs = Math.max(SETTLES_MS_MIN, (count / SETTLES_PER_SECOND) * 1_000)
  note(`it comes to rest: ${Math.round(settlesMs / 1_000)} s`)
  await wait(settlesMs)
  await network.probe(holder)
  const rest = await coreShare(holder, REST_MS)
  report({ name: name('processor at rest'), value: rest, unit: '% of a core', target: { atMost: TARGETS.corePercent } })
  const resident = holder.memoryBytes
  const atRest = await network.probe(holder)
  delays('at rest', atRest)
  report({ name: name('resident'), value: resident / 1e6, unit: 'MB', target: { atMost: TARGETS.residentMb } })
  report({ name: name('resident, after a collection'), value: (atRest?.residentBytes ?? Number.NaN) / 1e6, unit: 'MB' })
  report({ name: name('kept, after a collection'), value: (atRest?.keptBytes ?? Number.NaN) / 1e6, unit: 'MB' })
  report({ name: name('resident before there were any'), value: bare / 1e6, unit: 'MB' })

  const client = await clientOf(holder)
  const statuses: number[] = []
  for (let round = 0; round < 7; round++) {
    const from = performance.now()
    const { torrents } = await client.clientStatus()
    statuses.push(performance.now() - from)
    if (torrents.length < count) throw new Error(`it tells of ${torrents.length} torrents`)
  }
  report({ name: name('status'), value: median(statuses), unit: 'ms', target: { atMost: TARGETS.statusMs } })
  const links = (await holder.status())?.links ?? 0
  report({ name: name('links then'), value: links, unit: '', target: { atLeast: 2 } })

  note('another client downloads one of them')
  const one = magnets[Math.floor(count / 2)] ?? ''
  const firstMs = await firstPieceMs(network.client(1), one, join(directory, 'one'))
  report({ name: name('another downloads one: to its first piece'), value: firstMs / 1_000, unit: 's' })
}

async function publishAll(node: ClusterNode, paths: readonly string[], atATime: number): Promise<string[]> {
  const client = await clientOf(node)
  const magnets: string[] = []
  let next = 0
  const publishSome = async () => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      await writeFile(path, randomBytes(FILE_BYTES))
      magnets.push((await resultOf(client.publish({ path }))).magnet)
    }
  }
  await Promise.all(Array.from({ length: atATime }, publishSome))
  return magnets
}

async function restarted(network: HonestNetwork, node: ClusterNode): Promise<{ linksMs: number; seedingMs: number }> {
  await network.restart(node)
  const from = performance.now()
  let linksMs: number | undefined
  while (performance.now() - from < STARTED_WITHIN_MS) {
    const status = await node.status()
    if ((status?.links ?? 0) >= 2) linksMs ??= performance.now() - from
    const torrents = linksMs === undefined ? undefined : await node.askAll(({ client }) => torrentsOf(client))
    if (linksMs !== undefined && torrents?.every(({ state }) => state === 'seeding') === true)
      return { linksMs, seedingMs: performance.now() - from }
    await wait(200)
  }
  throw new Error(`it did not come up within ${STARTED_WITHIN_MS / 1_000} s`)
}

const torrentsOf = async (client: Awaited<ReturnType<typeof remoteOf>>['client']) =>
  client === undefined ? [] : (await client.clientStatus()).torrents

async function coreShare(node: ClusterNode, forMs: number): Promise<number> {
  const [before, from] = [node.cpuSeconds, performance.now()]
  await wait(forMs)
  return ((node.cpuSeconds - before) / ((performance.now() - from) / 1_000)) * 100
}

async function firstPieceMs(node: ClusterNode, magnet: string, directory: string): Promise<number> {
  const client = await clientOf(node)
  const from = performance.now()
  const { infoHash } = await client.add({ magnet, directory })
  while (performance.now() - from < DOWNLOADED_WITHIN_MS) {
    const { torrents } = await client.clientStatus()
    if ((torrents.find((torrent) => torrent.infoHash === infoHash)?.piecesVerified ?? 0) > 0) return performance.now() - from
    await wait(50)
  }
  throw new Error('the torrent could not be downloaded')
}
