// npm run test:mutants -- [PATH...] [--only subtle|stryker] [--sample N] [--seed S] [--every N] [--quick] [--jobs N] [--timeout MS] [--json]
// Puts faults into copies of the tree and asks whether the types or the mirror tests notice: the checked-in subtle ones, then
// Stryker's, of which --sample takes N files chosen by --seed, as all of them take hours, and --every the Nth of each file; with --quick
// what lives is not asked once more in a process of its own, and some more live. Progress goes to stderr. Exit code 1 if too many survive, or a checked-in one is stale; 2 if the tests fail without any fault.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { sample } from './sample.ts'
import { failures, type Result, report } from './score.ts'
import { runStryker } from './stryker-run.ts'
import { strykerInstrumenter } from './stryker-tool.ts'
import { SUBTLE_MUTANTS } from './subtle/index.ts'
import { assertPassing, runSubtle, testsFor } from './subtle-run.ts'
import { isWithin, targets } from './targets.ts'
import { WorkingCopy } from './working-copy.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const JOBS = '2'
/** Of one test, ms; long, since whatever else runs on the machine must kill no mutant. */
const TIMEOUT_MS = '60000'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string' },
    every: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string', default: JOBS },
    timeout: { type: 'string', default: TIMEOUT_MS },
    json: { type: 'boolean', default: false },
  },
})

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < min) throw new RangeError(`--${name} takes a whole number from ${min}`)
  return value
}

/** Works through the items with one copy of the tree a job. */
async function inCopies<T>(jobs: number, items: readonly T[], run: (root: string, item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const work = async (): Promise<void> => {
    if (left.length === 0) return
    using copy = new WorkingCopy(ROOT)
    for (let item = left.shift(); item !== undefined && !stop.signal.aborted; item = left.shift()) await run(copy.root, item)
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(jobs, items.length) }, work))
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

const jobs = wholeNumber('jobs', values.jobs, 1)
const timeoutMs = wholeNumber('timeout', values.timeout, 1)
const seed = wholeNumber('seed', values.seed ?? String(Date.now() % 100_000), 0)
const every = wholeNumber('every', values.every, 1)
const { only } = values
if (only !== undefined && only !== 'subtle' && only !== 'stryker') throw new RangeError('--only takes subtle or stryker')

const paths = positionals.map((path) => path.replace(/\/$/, ''))
const files = targets(ROOT, paths)
const results: Result[] = []

function tell(result: Result, done: number, all: number): void {
  results.push(result)
  console.error(`${done} of ${all}  ${result.fate.padEnd(8)} ${result.file}:${result.line} ${result.breaks}`)
}

async function subtle(): Promise<void> {
  // A file that is named, or in a folder that is named, whatever its suffix; without a path all that are checked in.
  const mutants = SUBTLE_MUTANTS.filter(({ file }) => paths.length === 0 || paths.some((path) => isWithin(file, path)))
  const tests = [...new Set(mutants.flatMap((mutant) => testsFor(ROOT, mutant)))].sort()
  console.error(`${mutants.length} subtle mutants; first their ${tests.length} test files without any`)
  await inCopies(jobs, tests, (root, test) => assertPassing({ root, timeoutMs, signal: stop.signal }, [test]))
  let done = 0
  await inCopies(jobs, mutants, async (root, mutant) => {
    const result = await runSubtle({ root, timeoutMs, signal: stop.signal }, mutant)
    if (!stop.signal.aborted) tell(result, ++done, mutants.length)
  })
}

async function stryker(): Promise<void> {
  const count = values.sample === undefined ? files.length : wholeNumber('sample', values.sample, 1)
  const chosen = sample(files, count, seed)
  console.error(`Stryker on ${chosen.length} of ${files.length} files, --sample ${count} --seed ${seed}: ${chosen.join(' ')}`)
  const instrument = await strykerInstrumenter()
  let done = 0
  await inCopies(jobs, chosen, async (root, file) => {
    done++
    try {
      const found = await runStryker({ root, instrument, timeoutMs, isQuick: values.quick, every, signal: stop.signal }, file)
      for (const result of found) tell(result, done, chosen.length)
    } catch (error) {
      // The others are measured all the same: a whole run takes an hour.
      fail(error)
    }
  })
}

function fail(error: unknown): void {
  if (stop.signal.aborted) return
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}

try {
  if (only !== 'stryker') await subtle()
  if (only !== 'subtle' && !stop.signal.aborted) await stryker()
} catch (error) {
  fail(error)
}
const reasons = failures(results)
console.log(values.json ? JSON.stringify({ seed, results, failures: reasons }) : report(results))
for (const reason of reasons) console.error(reason)
if (stop.signal.aborted) process.exitCode = 130
else if (reasons.length > 0) process.exitCode ??= 1
