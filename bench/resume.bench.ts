import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ClientService, TorrentRow } from '../src/roles/index.ts'
import { build } from '../test/cli/program.ts'
import { clientOf, resultOf, sha256Of } from '../test/cluster/client-nodes.ts'
import { Cluster, type ClusterNode } from '../test/cluster/cluster.ts'
import { loopback } from '../test/cluster/hosts.ts'
import { type Bench, median } from './harness.ts'

// kill -9 of a client in the middle of a download, and its start again: when the first new byte comes, what is fetched twice, and
// whether the file is right. 256 MiB, 1 GiB with --full; the seeder is found by the torrent DHT, as strangers find each other.

const MIB = 1024 * 1024
const LOOK_MS = 10
const WITHIN_MS = 120_000

type Run = {
  /** From the start of the process. */
  readonly readyMs: number
  readonly firstByteMs: number
  readonly twiceBytes: number
  /** Sent by the seeder before the kill, and of no piece that the log has: asked for, hashed, written or about to be recorded. */
  readonly underWayBytes: number
}

const bench: Bench = async ({ full, rounds, report, note }) => {
  build()
  const bytes = (full ? 1024 : 256) * MIB
  const directory = mkdtempSync(join(tmpdir(), 'p2pt-bench-resume-'))
  const cluster = new Cluster(await loopback(2 + rounds), {
    bootstraps: 1,
    clients: 1 + rounds,
    clientFlags: () => ['--plain-peers'],
  })
  try {
    const file = join(directory, 'payload.bin')
    writeRandom(file, bytes)
    const sha256 = await sha256Of(file)
    await cluster.startInGroups(3)
    const seeder = await clientOf(cluster.at(1))
    const { magnet } = await resultOf(seeder.publish({ path: file }))
    const runs: Run[] = []
    for (let round = 0; round < rounds; round++) {
      const into = join(directory, `into-${round}`)
      const run = await killed(seeder, cluster.at(2 + round), magnet, into)
      if ((await sha256Of(join(into, 'payload.bin'))) !== sha256) throw new Error('what came is not what was published')
      rmSync(into, { recursive: true })
      note(
        `first byte ${Math.round(run.firstByteMs)} ms after the start, ready after ${Math.round(run.readyMs)} ms, ${(run.twiceBytes / 1e6).toFixed(1)} MB twice`,
      )
      runs.push(run)
    }
    const of = (what: (run: Run) => number): number => median(runs.map(what))
    const worst = (what: (run: Run) => number): number => Math.max(...runs.map(what))
    report({ name: 'right by sha-256', value: runs.length, unit: 'downloads', target: { atLeast: rounds } })
    report({ name: 'ready after the start', value: of(({ readyMs }) => readyMs), unit: 'ms' })
    report({
      name: 'first new byte after the start',
      value: of(({ firstByteMs }) => firstByteMs),
      unit: 'ms',
      target: { atMost: 2_000 },
    })
    report({ name: 'first new byte after it is ready', value: of(afterReady), unit: 'ms', target: { atMost: 2_000 } })
    report({
      name: 'fetched twice',
      value: worst(({ twiceBytes }) => twiceBytes) / 1e6,
      unit: 'MB',
      against: { name: 'under way at the kill', value: worst(({ underWayBytes }) => underWayBytes) / 1e6 },
      ratioTarget: { atMost: 1 },
    })
  } finally {
    await cluster.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

export default bench

/** It may come before. */
const afterReady = ({ readyMs, firstByteMs }: Run): number => Math.max(0, firstByteMs - readyMs)

async function killed(seeder: ClientService, leecher: ClusterNode, magnet: string, directory: string): Promise<Run> {
  const client = await clientOf(leecher)
  const { infoHash } = await client.add({ magnet, directory })
  const sentBefore = (await rowOf(seeder, infoHash)).uploadedBytes
  await until(client, infoHash, ({ pieceCount, piecesVerified }) => pieceCount > 0 && 2 * piecesVerified >= pieceCount)
  await leecher.kill('SIGKILL')
  const sentAtKill = await settled(seeder, infoHash)
  const startedAt = performance.now()
  leecher.start()
  let readyMs = Number.POSITIVE_INFINITY
  let firstByteMs = Number.POSITIVE_INFINITY
  let kept: TorrentRow | undefined
  let last: TorrentRow | undefined
  for (; last?.state !== 'seeding'; await wait(LOOK_MS)) {
    if (performance.now() - startedAt > WITHIN_MS) throw new Error(`it did not end: ${leecher.lastWords}`)
    const status = await leecher.askAll(({ client: running }) => (running as ClientService).clientStatus())
    const passed = performance.now() - startedAt
    if (status === undefined) continue
    if (status.node.ready) readyMs = Math.min(readyMs, passed)
    last = status.torrents.find((row) => row.infoHash === infoHash)
    if (last === undefined) continue
    kept ??= last
    if (last.downloadedBytes > 0) firstByteMs = Math.min(firstByteMs, passed)
  }
  const { sizeBytes, pieceCount } = last
  const pieceBytes = Math.ceil(sizeBytes / pieceCount)
  const keptBytes = (kept?.piecesVerified ?? 0) * pieceBytes
  const sent = (await settled(seeder, infoHash)) - sentBefore
  await (await clientOf(leecher)).remove(infoHash, { deleteFiles: false })
  return {
    ...{ readyMs, firstByteMs },
    twiceBytes: sent - sizeBytes,
    underWayBytes: sentAtKill - sentBefore - keptBytes,
  }
}

async function until(client: ClientService, infoHash: string, isSo: (row: TorrentRow) => boolean): Promise<TorrentRow> {
  for (const end = performance.now() + WITHIN_MS; ; await wait(LOOK_MS)) {
    const row = await rowOf(client, infoHash)
    if (isSo(row)) return row
    if (performance.now() > end) throw new Error(`it is at ${row.piecesVerified} of ${row.pieceCount} pieces`)
  }
}

/** What the seeder has sent, once it sends no more. */
async function settled(seeder: ClientService, infoHash: string): Promise<number> {
  for (let before = -1; ; await wait(100)) {
    const { uploadedBytes } = await rowOf(seeder, infoHash)
    if (uploadedBytes === before) return before
    before = uploadedBytes
  }
}

async function rowOf(client: ClientService, infoHash: string): Promise<TorrentRow> {
  const row = (await client.clientStatus()).torrents.find((each) => each.infoHash === infoHash)
  if (row === undefined) throw new Error('it has no such torrent')
  return row
}

function writeRandom(path: string, bytes: number): void {
  const file = openSync(path, 'w')
  for (let at = 0; at < bytes; at += MIB) writeSync(file, randomBytes(Math.min(MIB, bytes - at)))
  closeSync(file)
}
