import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { build } from '../test/cli/program.ts'
import { pythonWithLibtorrent } from '../test/torrent/python-libtorrent.ts'
import { hasAria2, pairOfAria2 } from './download-aria2.ts'
import { Clients } from './download-clients.ts'
import type { DownloadRun } from './download-run.ts'
import { type Bench, type BenchContext, median, type Target } from './harness.ts'

// Downloads over loopback through running client processes, beside libtorrent (Debian's python3-libtorrent) as it comes and as it
// can be tuned, and aria2, in the same rounds, of the same file. 256 MiB from one seeder and from four; with --full also from 16, and 1
// GiB, with what grows from the one to the other.

const MIB = 1024 * 1024
/** MiB and seeders. */
const SHORT = [
  [256, 1],
  [256, 4],
] as const
const LONG = [
  [256, 16],
  [1_024, 1],
  [1_024, 4],
] as const
const nameOf = (sizeMib: number, seeders: number) => `${sizeMib} MiB, ${seeders} ${seeders === 1 ? 'seeder' : 'seeders'}`
const SCRIPT = join(import.meta.dirname, 'download-libtorrent.py')

const bench: Bench = async (context) => {
  build()
  const python = pythonWithLibtorrent()
  if (python === undefined) context.note('libtorrent is not installed (python3-libtorrent): measured without')
  const others = { python, aria2: hasAria2() }
  if (!others.aria2) context.note('aria2 is not installed: measured without')
  const found = new Map<string, Found>()
  for (const [sizeMib, seeders] of context.full ? [...SHORT, ...LONG] : SHORT) {
    const name = nameOf(sizeMib, seeders)
    if (context.only !== undefined && context.only !== name) continue
    context.note(name)
    found.set(name, await measure(context, name, sizeMib * MIB, seeders, others))
  }
  tellGrowth(context, found)
}

export default bench

/** The other programs that are here. */
type Others = { readonly python: string | undefined; readonly aria2: boolean }
type Found = {
  readonly mbPerSecond: number
  readonly leecherCpu: number
  readonly seederCpu: number
  readonly memoryMb: number
}

async function measure(
  context: BenchContext,
  name: string,
  bytes: number,
  seeders: number,
  { python, aria2 }: Others,
): Promise<Found> {
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-download-'))
  const file = join(directory, 'payload.bin')
  await writeRandom(file, bytes)
  const clients = await Clients.start(directory, file, seeders)
  try {
    const runs = new Map<string, DownloadRun[]>()
    const note = async (who: string, run: Promise<DownloadRun>): Promise<number> => {
      const done = await run
      runs.set(who, [...(runs.get(who) ?? []), done])
      return done.ms
    }
    const pair = (settings: string) => async () => {
      const into = await mkdtemp(join(directory, 'libtorrent-'))
      const run = pairOfLibtorrent(python ?? '', file, into, seeders, settings)
      const ms = await note(settings, run)
      await rm(into, { recursive: true, force: true })
      return ms
    }
    const ours = () => note('ours', clients.download())
    const mixed = () => note('mixed', clients.downloadFrom(python ?? '', SCRIPT, 'tuned'))
    const torrentFile = await clients.torrentFile()
    const byAria2 = async () => {
      const into = await mkdtemp(join(directory, 'aria2-'))
      const ms = await note('aria2', pairOfAria2(file, torrentFile, into, seeders))
      await rm(into, { recursive: true, force: true })
      return ms
    }
    const contenders: Record<string, () => Promise<number>> = { ours }
    if (python !== undefined) Object.assign(contenders, { stock: pair('stock'), tuned: pair('tuned') })
    if (python !== undefined && seeders === 1) Object.assign(contenders, { mixed })
    if (aria2) Object.assign(contenders, { aria2: byAria2 })
    await context.medians(contenders)
    return tell(context, name, bytes, runs)
  } finally {
    await clients.end()
    await rm(directory, { recursive: true, force: true })
  }
}

function tell({ report }: BenchContext, name: string, bytes: number, runs: ReadonlyMap<string, readonly DownloadRun[]>): Found {
  const of = (who: string, what: (run: DownloadRun) => number): number => median((runs.get(who) ?? []).map(what))
  const rate = (who: string): number => bytes / 1e3 / of(who, ({ ms }) => ms)
  const others = ['stock', 'tuned'].filter((who) => runs.has(who))
  const best = others.toSorted((a, b) => rate(b) - rate(a))[0]
  const against = (value: (who: string) => number) =>
    best === undefined ? {} : { against: { name: `libtorrent ${best}`, value: value(best) } }
  const row = (what: string, unit: string, value: (who: string) => number, more: object = {}) =>
    report({ name: `${name}: ${what}`, value: value('ours'), unit, ...against(value), ...more })
  row('rate', 'MB/s', rate, best === undefined ? {} : { ratioTarget: { atLeast: 1 } })
  for (const who of others) report({ name: `${name}: libtorrent ${who}, rate`, value: rate(who), unit: 'MB/s' })
  if (runs.has('aria2')) {
    report({ name: `${name}: aria2 with its start, rate`, value: rate('aria2'), unit: 'MB/s' })
    report({ name: `${name}: aria2, leecher's processor`, value: of('aria2', ({ leecherCpu }) => leecherCpu), unit: 's' })
    report({ name: `${name}: aria2, seeders' processor`, value: of('aria2', ({ seederCpu }) => seederCpu), unit: 's' })
  }
  row(
    "leecher's processor",
    's',
    (who) => of(who, ({ leecherCpu }) => leecherCpu),
    best === undefined ? {} : { ratioTarget: { atMost: 1 } },
  )
  row("seeders' processor", 's', (who) => of(who, ({ seederCpu }) => seederCpu))
  row('to the first piece', 'ms', (who) => of(who, ({ firstMs }) => firstMs))
  row('memory above rest', 'MB', (who) => of(who, ({ memoryBytes }) => memoryBytes) / 1e6, { target: { atMost: 100 } })
  if (runs.has('mixed'))
    report({
      name: `${name}: from a libtorrent seeder`,
      value: rate('mixed'),
      unit: 'MB/s',
      ...against(rate),
      ratioTarget: { atLeast: 0.9 },
    })
  return {
    mbPerSecond: rate('ours'),
    leecherCpu: of('ours', ({ leecherCpu }) => leecherCpu),
    seederCpu: of('ours', ({ seederCpu }) => seederCpu),
    memoryMb: of('ours', (run) => run.memoryBytes) / 1e6,
  }
}

/** What a larger file costs, and more seeders. */
function tellGrowth({ report }: BenchContext, found: ReadonlyMap<string, Found>): void {
  const row = (
    [sizeMib, seeders]: readonly [number, number],
    [baseMib, baseSeeders]: readonly [number, number],
    [what, unit, value]: readonly [string, string, (found: Found) => number],
    ratioTarget?: Target,
  ) => {
    const [large, small] = [found.get(nameOf(sizeMib, seeders)), found.get(nameOf(baseMib, baseSeeders))]
    if (large === undefined || small === undefined) return
    report({
      ...{ name: `growth to ${nameOf(sizeMib, seeders)}: ${what}`, value: value(large), unit },
      against: { name: nameOf(baseMib, baseSeeders), value: value(small) },
      ...(ratioTarget && { ratioTarget }),
    })
  }
  const rate = ['rate', 'MB/s', ({ mbPerSecond }: Found) => mbPerSecond] as const
  const leecher = ["leecher's processor", 's', ({ leecherCpu }: Found) => leecherCpu] as const
  const seeding = ["seeders' processor", 's', ({ seederCpu }: Found) => seederCpu] as const
  const memory = ['memory above rest', 'MB', ({ memoryMb }: Found) => memoryMb] as const
  for (const sizeMib of [256, 1_024]) {
    row([sizeMib, 4], [sizeMib, 1], rate, { atLeast: 1 })
    row([sizeMib, 4], [sizeMib, 1], seeding, { atMost: 1.3 })
  }
  for (const what of [rate, leecher, seeding, memory]) row([256, 16], [256, 1], what)
  for (const what of [rate, leecher, seeding, memory]) row([1_024, 1], [256, 1], what)
}

async function pairOfLibtorrent(
  python: string,
  file: string,
  into: string,
  seeders: number,
  settings: string,
): Promise<DownloadRun> {
  const words = [SCRIPT, 'pair', file, into, String(seeders), settings]
  const { stdout } = await promisify(execFile)(python, words)
  return JSON.parse(stdout) as DownloadRun
}

async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  const stream = createWriteStream(path)
  for (let at = 0; at < sizeBytes; at += MIB) {
    if (!stream.write(randomBytes(Math.min(MIB, sizeBytes - at)))) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}
