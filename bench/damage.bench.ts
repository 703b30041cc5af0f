import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { verifyLog } from '../src/events/verify-log.level.ts'
import type { Bench } from './harness.ts'
import { mixed, signedEvents } from './log-corpus.ts'
import { openLog, withDirectory } from './log-directory.ts'

// Random damage to the files of a real log, and whether `log verify` says so. What is drawn is printed by its seed:
// P2PT_SEED draws the same again.

const KINDS = ['flip', 'cut', 'delete', 'swap'] as const
type Damage = { readonly kind: (typeof KINDS)[number]; readonly file: string; readonly at: number }

const bench: Bench = ({ full, report, note }) =>
  withDirectory(async (directory) => {
    const seed = Number(process.env.P2PT_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const random = randomFrom(seed)
    const original = join(directory, 'original')
    const events = full ? 520_000 : 50_000
    note(`seed ${seed}; signing ${events} events`)
    mkdirSync(original)
    await grow(original, events)
    const bytes = readdirSync(join(original, 'log')).reduce((sum, name) => sum + statSync(join(original, 'log', name)).size, 0)
    report({ name: 'size of the log', value: bytes / 1e6, unit: 'MB', ...(full ? { target: { atLeast: 100 } } : {}) })

    const [damages, intact] = full ? [200, 20] : [40, 5]
    let reported = 0
    const missed: string[] = []
    for (let round = 0; round < damages; round++) {
      const copy = linked(original, join(directory, 'copy'))
      const damage = spoil(copy, KINDS[round % KINDS.length] ?? 'flip', random)
      const { intact: unnoticed, ranges } = await verifyLog(copy)
      if (!unnoticed && ranges.length > 0) reported++
      else missed.push(`${damage.kind} ${damage.file} at ${damage.at}`)
      rmSync(copy, { recursive: true })
      if (round % 20 === 19) note(`${round + 1} damages, ${reported} reported`)
    }
    for (const text of missed) note(`not reported: ${text}`)
    report({
      name: `of ${damages} damages, reported with a range`,
      value: reported,
      unit: 'damages',
      target: { atLeast: damages },
    })

    let alarms = 0
    for (let round = 0; round < intact; round++) {
      const copy = linked(original, join(directory, 'copy'))
      // Each another log: some more events, closed again.
      await grow(copy, 1 + Math.floor(random() * 300), round + 1)
      if (!(await verifyLog(copy)).intact) alarms++
      rmSync(copy, { recursive: true })
    }
    report({ name: `of ${intact} intact logs, called damaged`, value: alarms, unit: 'logs', target: { atMost: 0 } })
  })

export default bench

async function grow(directory: string, count: number, more = 0): Promise<void> {
  await using log = await openLog(directory)
  if (more === 0) {
    const events = signedEvents(count, mixed)
    for (let from = 0; from < events.length; from += 100) await log.ingest(events.slice(from, from + 100))
  }
  // Small commits at the end, in LevelDB's own log.
  for (let number = 0; number < (more === 0 ? 50 : count); number++) await log.append([mixed(number)], { durable: false })
}

/** A copy that shares what is not changed: LevelDB never writes to a table again, and damage is done to a file of its own. */
function linked(from: string, to: string): string {
  for (const folder of ['.', 'log']) {
    mkdirSync(join(to, folder), { recursive: true })
    for (const name of readdirSync(join(from, folder))) {
      const [source, target] = [join(from, folder, name), join(to, folder, name)]
      if (!statSync(source).isFile()) continue
      if (name.endsWith('.ldb')) linkSync(source, target)
      else copyFileSync(source, target)
    }
  }
  return to
}

function spoil(directory: string, kind: Damage['kind'], random: () => number): Damage {
  const log = join(directory, 'log')
  const names = readdirSync(log).filter(
    (name) => name !== 'LOCK' && !name.startsWith('LOG') && statSync(join(log, name)).size > 0,
  )
  const [name, other] = [...names].sort(() => random() - 0.5)
  if (name === undefined || other === undefined) throw new Error('a log has more files')
  const path = join(log, name)
  const at = Math.floor(random() * statSync(path).size)
  const own = (): void => {
    copyFileSync(path, `${path}.own`)
    renameSync(`${path}.own`, path)
  }
  if (kind === 'flip') {
    const bytes = readFileSync(path)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    rmSync(path)
    writeFileSync(path, bytes)
  } else if (kind === 'cut') {
    own()
    truncateSync(path, at)
  } else if (kind === 'delete') {
    rmSync(path)
  } else {
    renameSync(path, `${path}.away`)
    renameSync(join(log, other), path)
    renameSync(`${path}.away`, join(log, other))
  }
  return { kind, file: kind === 'swap' ? `${name} with ${other}` : name, at }
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixedState = Math.imul(state ^ (state >>> 15), state | 1)
    mixedState ^= mixedState + Math.imul(mixedState ^ (mixedState >>> 7), mixedState | 61)
    return ((mixedState ^ (mixedState >>> 14)) >>> 0) / 2 ** 32
  }
}
