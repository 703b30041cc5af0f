import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Outcome, TreeCopy } from './copy.ts'
import { strykerOver } from './stryker.ts'
import { SUBTLE_MUTANTS } from './subtle/index.ts'
import type { SubtleMutant } from './subtle/mutant.ts'
import { filesOf, mirrorOf } from './targets.ts'

// `npm run test:mutants [-- PATH...]`: how many faults the tests notice. Two kinds: the subtle ones of test/mutants/subtle, which
// are checked in, and Stryker's, which it makes. The whole takes hours on a small machine; `--sample N --seed S` takes N of
// the files for Stryker's, and the run says which.

const ROOT = join(import.meta.dirname, '../..')
const SUBTLE_WANTED = 80
const STRYKER_WANTED = 85

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('stopped')))

const isBelow = (file: string): boolean => positionals.length === 0 || positionals.some((path) => file.startsWith(path))
const note = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

type Tried = SubtleMutant & { outcome: Outcome }

async function subtle(): Promise<Tried[]> {
  const mutants = SUBTLE_MUTANTS.filter(({ file }) => isBelow(file))
  const waiting = [...mutants]
  const tried: Tried[] = []
  const clean = new Map<string, Promise<boolean>>()
  const work = async (): Promise<void> => {
    using copy = new TreeCopy(ROOT)
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { file, find, replace, breaks } = mutant
      const tests = mutant.tests ?? mirrorOf(ROOT, file)
      const key = tests.join(' ')
      const isClean = clean.get(key) ?? copy.tests(tests, stop.signal).then((code) => code === 0)
      clean.set(key, isClean)
      if (!(await isClean)) throw new Error(`the tests fail without any mutant: ${key || `${file} has none`}`)
      const outcome = await copy.tryOut(file, (source) => put(source, mutant), tests, stop.signal)
      tried.push({ ...mutant, outcome })
      note(`${tried.length}/${mutants.length} ${outcome}: ${file}: ${find} -> ${replace} (${breaks})`)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work))
  return tried
}

function put(source: string, { file, find, replace }: SubtleMutant): string {
  if (source.split(find).length !== 2) throw new Error(`stale: ${JSON.stringify(find)} is not once in ${file}`)
  return source.replace(find, () => replace)
}

const areaOf = (file: string): string =>
  file
    .split('/')
    .slice(0, 3)
    .join('/')
    .replace(/\/[^/]*\.ts$/, '')
const lineOf = ({ file, find }: SubtleMutant): number => {
  const source = readFileSync(join(ROOT, file), 'utf8')
  return source.slice(0, source.indexOf(find)).split('\n').length
}

function tell(tried: readonly Tried[]): boolean {
  const areas = Map.groupBy(tried, ({ file }) => areaOf(file))
  for (const [area, mutants] of [...areas].sort()) {
    const killed = mutants.filter(({ outcome }) => outcome !== 'survived').length
    console.log(`${area}: ${killed} of ${mutants.length} killed`)
  }
  for (const mutant of tried) {
    if (mutant.outcome !== 'survived') continue
    console.log(
      `survived: ${mutant.file}:${lineOf(mutant)} ${mutant.breaks}${mutant.lives === undefined ? '' : ` (${mutant.lives})`}`,
    )
  }
  const killed = tried.filter(({ outcome }) => outcome !== 'survived').length
  const share = tried.length === 0 ? 100 : (100 * killed) / tried.length
  console.log(`subtle: ${killed} of ${tried.length} killed, ${share.toFixed(1)} % (wanted: ${SUBTLE_WANTED} %)`)
  return share >= SUBTLE_WANTED
}

let isGood = true
if (values.only !== 'stryker') {
  const tried = await subtle()
  if (values.json) console.log(JSON.stringify({ subtle: tried }))
  isGood = tell(tried)
}
if (values.only !== 'subtle') {
  const files = filesOf(ROOT, positionals)
  const sample = values.sample === undefined ? files : sampled(files, Number(values.sample), Number(values.seed))
  if (sample.length < files.length) note(`${sample.length} of ${files.length} files, seed ${values.seed}`)
  const { killed, total, survivors } = await strykerOver(ROOT, sample, Number(values.jobs), note, stop.signal)
  for (const survivor of survivors) console.log(`survived: ${survivor}`)
  const share = total === 0 ? 100 : (100 * killed) / total
  console.log(`stryker: ${killed} of ${total} killed, ${share.toFixed(1)} % (wanted: ${STRYKER_WANTED} %)`)
  isGood &&= share >= STRYKER_WANTED
}
process.exitCode = isGood ? 0 : 1

/** So many of them, the same for the same seed. */
function sampled(files: readonly string[], count: number, seed: number): string[] {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return files
    .map((file) => ({ file, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ file }) => file)
    .sort()
}
