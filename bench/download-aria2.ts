import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Server } from 'bittorrent-tracker'
import type { DownloadRun } from './download-run.ts'

// One download over loopback, aria2 to aria2. It takes no peer by name, so a tracker tells them of each other, and it says when it is
// done by its end: its start is in the time, and the time to the first piece is not known.

const CLOCK_TICKS_A_SECOND = 100
const LOOK_MS = 10
const READY_WITHIN_MS = 60_000
const BY_ITSELF = ['--no-conf', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--file-allocation=none']
// As far as it lets itself be tuned: as many connections and as much memory as it takes, and nothing on the console.
const TUNED = ['--quiet=true', '--bt-max-peers=0', '--disk-cache=64M', '--bt-request-peer-speed-limit=1024M']

export const hasAria2 = (): boolean => spawnSync('aria2c', ['--version']).status === 0

/** @param file it stands where the torrent says @param into an empty directory */
export async function pairOfAria2(file: string, torrentFile: string, into: string, seeders: number): Promise<DownloadRun> {
  const tracker = new Server({ http: true, udp: false, ws: false, stats: false })
  await new Promise<void>((resolve) => tracker.listen(0, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }, resolve))
  const { port } = tracker.http.address() as { port: number }
  const start = (directory: string, ...words: readonly string[]) => {
    const at = [`--dir=${directory}`, `--bt-tracker=http://127.0.0.1:${port}/announce`, '--listen-port=20000-40000']
    return spawn('aria2c', [...BY_ITSELF, ...TUNED, ...at, ...words, torrentFile], { stdio: 'ignore' })
  }
  const seeding = Array.from({ length: seeders }, () => start(dirname(file), '--seed-ratio=0', '--check-integrity=true'))
  try {
    await announced(tracker, seeding)
    const before = seeding.map(cpuSeconds)
    const startedAt = performance.now()
    const leecher = start(into, '--seed-time=0')
    const ended = once(leecher, 'exit')
    let [most, leecherCpu] = [0, 0]
    while (leecher.exitCode === null && leecher.signalCode === null) {
      most = Math.max(most, memoryBytes(leecher))
      leecherCpu = Math.max(leecherCpu, cpuSeconds(leecher))
      await wait(LOOK_MS)
    }
    const [code] = (await ended) as [number | null]
    if (code !== 0) throw new Error(`aria2 ended with ${code}`)
    const ms = performance.now() - startedAt
    const seederCpu = seeding.reduce((sum, each, at) => sum + cpuSeconds(each) - (before[at] ?? 0), 0)
    return { ms, firstMs: Number.NaN, leecherCpu, seederCpu, memoryBytes: most }
  } finally {
    for (const each of seeding) each.kill('SIGKILL')
    await new Promise<void>((resolve) => tracker.close(resolve))
  }
}

async function announced(tracker: Server, seeding: readonly ChildProcess[]): Promise<void> {
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; await wait(LOOK_MS)) {
    if (Object.values(tracker.torrents).some((torrent) => torrent.peers.length >= seeding.length)) return
    if (seeding.some(({ exitCode }) => exitCode !== null)) throw new Error('aria2 ended before it seeded')
  }
  throw new Error('aria2 did not announce itself')
}

function cpuSeconds({ pid }: ChildProcess): number {
  const stat = read(`/proc/${pid}/stat`)
  // Behind the name, which may hold spaces: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / CLOCK_TICKS_A_SECOND
}

const memoryBytes = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
