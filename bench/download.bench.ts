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
import { Clients } from './download-clients.ts'
import type { DownloadRun } from './download-run.ts'
import { type Bench, type BenchContext, median } from './harness.ts'

// Downloads over loopback through running client processes, beside libtorrent (Debian's python3-libtorrent) as it comes and as it
// can be tuned, in the same rounds, of the same file. 256 MB; with --full also 1 GiB. One seeder and four.

const MIB = 1024 * 1024
const SCRIPT = join(import.meta.dirname, 'download-libtorrent.py')

const bench: Bench = async (context) => {
  build()
  const python = pythonWithLibtorrent()
  if (python === undefined) context.note('libtorrent is not installed (python3-libtorrent): measured alone')
  for (const sizeMib of context.full ? [256, 1024] : [256]) {
    for (const seeders of [1, 4]) {
      const name = `${sizeMib} MiB, ${seeders} ${seeders === 1 ? 'seeder' : 'seeders'}`
      if (context.only !== undefined && context.only !== name) continue
      context.note(name)
      await measure(context, name, sizeMib * MIB, seeders, python)
    }
  }
}

export default bench

async function measure(context: BenchContext, name: string, bytes: number, seeders: number, python: string | undefined) {
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
    if (python === undefined) await context.medians({ ours })
    else if (seeders > 1) await context.medians({ ours, stock: pair('stock'), tuned: pair('tuned') })
    else await context.medians({ ours, stock: pair('stock'), tuned: pair('tuned'), mixed })
    tell(context, name, bytes, runs)
  } finally {
    await clients.end()
    await rm(directory, { recursive: true, force: true })
  }
}

function tell({ report }: BenchContext, name: string, bytes: number, runs: ReadonlyMap<string, readonly DownloadRun[]>): void {
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
