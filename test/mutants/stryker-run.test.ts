import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from './score.ts'
import { resultOf, runStryker } from './stryker-run.ts'
import type { Instrumented, StrykerMutant } from './stryker-tool.ts'

const SOURCE = 'src/a.ts'
const mutant = (id: string, status?: string): StrykerMutant => ({
  id,
  mutatorName: id,
  replacement: 'a\n b',
  status,
  location: { start: { line: 6 } },
})

/** What Stryker's instrumenter makes of a file, written by hand: it would have to be installed. */
const switched = (body: string): string => `
const ns = globalThis.__stryker__ ??= {}
ns.activeMutant ??= process.env.__STRYKER_ACTIVE_MUTANT__
const is = (id) => {
  if (ns.activeMutant !== id) return false
  if (ns.hitCount !== undefined && ++ns.hitCount > ns.hitLimit) throw new Error('hit limit')
  return true
}
const cover = (id) => {
  const coverage = ns.mutantCoverage ??= { static: {}, perTest: {} }
  const counts = ns.currentTestId ? coverage.perTest[ns.currentTestId] ??= {} : coverage.static
  counts[id] = (counts[id] ?? 0) + 1
  return is(id)
}
${body}`

const BODY = `
export const atLoad = cover('at load') ? 2 : 1
for (let at = 0; at < 3; ) cover('endless at load') ? at-- : at++
let kept
export const once = () => kept ??= cover('once') ? 2 : 1
export const double = (n) => cover('noticed') ? n : cover('unnoticed') ? n + n : 2 * n
export const inHook = () => cover('in a hook') ? 2 : 1
export function count(n) {
  let at = 0
  while (at < n) cover('endless') ? at-- : at++
  return at
}
let spoilt = false
export const spoil = () => { if (cover('spoils')) spoilt = true }
export const isSpoilt = () => spoilt
export const wait = () => cover('never ends') ? new Promise(() => setInterval(() => {}, 1000)) : undefined
export const unasked = () => cover('not run') ? 2 : 1
export const ends = () => cover('ends all') ? process.exit(0) : 1
`

const TESTS = `
import { equal } from 'node:assert/strict'
import { atLoad, count, double, ends, inHook, isSpoilt, once, spoil, wait } from '../src/a.ts'
describe('a', () => {
  before(() => equal(inHook(), 1))
  it('is at load (1)', () => equal(atLoad, 1))
  it('once', () => equal(once(), 1))
  it('doubles', () => { equal(double(2), 4) })
  it('counts', () => equal(count(3), 3))
  it('spoils what comes after it', () => { spoil(); equal(isSpoilt(), false) })
  it('waits', async () => { await wait() })
  it('ends', () => equal(ends(), 1))
})
`

const IDS = [
  'spoils',
  'at load',
  'endless at load',
  'once',
  'noticed',
  'unnoticed',
  'in a hook',
  'endless',
  'not run',
  'ends all',
  'never ends',
]

describe('a run of Stryker’s mutants of one file', () => {
  let root = ''
  const signal = new AbortController().signal
  const run = (instrumented: Instrumented, { tests = TESTS, isQuick = false, every = 1 } = {}): Promise<Result[]> => {
    writeFileSync(join(root, 'test/a.test.ts'), tests)
    return runStryker({ root, instrument: async () => instrumented, timeoutMs: 400, isQuick, every, signal }, SOURCE)
  }
  const fates = (results: readonly Result[]): Record<string, string> =>
    Object.fromEntries(results.map(({ breaks, fate }) => [breaks.split(':')[0], fate]))

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-stryker-run-'))
    for (const folder of ['src', 'test']) mkdirSync(join(root, folder))
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    writeFileSync(join(root, SOURCE), 'as it was')
  })

  afterEach(() => rmSync(root, { recursive: true }))

  it('comes to what a process for each would: what fails at load, once, in a hook, without an end, or spoils the process', async () => {
    const results = await run({
      content: switched(BODY),
      mutants: [...IDS.map((id) => mutant(id)), mutant('left out', 'Ignored')],
    })
    deepEqual(fates(results), {
      spoils: 'killed',
      'at load': 'killed',
      'endless at load': 'killed',
      once: 'killed',
      noticed: 'killed',
      unnoticed: 'survived',
      'in a hook': 'killed',
      endless: 'killed',
      'not run': 'survived',
      'ends all': 'killed',
      'never ends': 'killed',
    })
    equal(readFileSync(join(root, SOURCE), 'utf8'), 'as it was')
  })

  it('takes the word of a process that is not new where it has to be quick', async () => {
    const mutants = ['once', 'noticed', 'endless', 'at load'].map((id) => mutant(id))
    const fated = fates(await run({ content: switched(BODY), mutants }, { isQuick: true }))
    deepEqual(fated, { once: 'survived', noticed: 'killed', endless: 'killed', 'at load': 'killed' })
  })

  it('asks every so many-th where that is wanted', async () => {
    const mutants = ['noticed', 'not run', 'unnoticed', 'once', 'not run'].map((id) => mutant(id))
    const results = await run({ content: switched(BODY), mutants }, { every: 2 })
    deepEqual(
      results.map(({ breaks, fate }) => [breaks, fate]),
      [
        ['noticed: a b', 'killed'],
        ['unnoticed: a b', 'survived'],
        ['not run: a b', 'survived'],
      ],
    )
  })

  it('asks a mutant that runs in a thread alone with all tests', async () => {
    const tests = `
      import { equal } from 'node:assert/strict'
      import { Worker } from 'node:worker_threads'
      describe('a', () => it('is 1 in a thread', async () => {
        const url = new URL('../src/a.ts', import.meta.url).href
        const worker = new Worker('import(' + JSON.stringify(url) + ').then(({ unasked }) => require("node:worker_threads").parentPort.postMessage(unasked()))', { eval: true })
        equal(await new Promise((resolve) => worker.once('message', resolve)), 1)
      }))`
    const results = await run({ content: switched(BODY), mutants: [mutant('not run'), mutant('noticed')] }, { tests })
    deepEqual(fates(results), { 'not run': 'killed', noticed: 'survived' })
  })

  it('kills nothing where the tests fail by themselves', async () => {
    const tests = "import { fail } from 'node:assert/strict'\ndescribe('a', () => it('fails', () => fail('by itself')))"
    await rejects(
      run({ content: switched(BODY), mutants: [mutant('noticed')] }, { tests }),
      /fails without any mutant(.|\n)*by itself/,
    )
    equal(readFileSync(join(root, SOURCE), 'utf8'), 'as it was')
  })

  it('is empty for a file without tests or without mutants', async () => {
    deepEqual(await run({ content: switched(BODY), mutants: [] }), [])
    rmSync(join(root, 'test'), { recursive: true })
    deepEqual(
      await runStryker(
        { root, instrument: async () => ({ content: '', mutants: [] }), timeoutMs: 400, isQuick: false, every: 1, signal },
        SOURCE,
      ),
      [],
    )
    equal(existsSync(join(root, 'mutants.elsewhere')), false)
  })

  it('names the line, counted from 1, and what was put in, in one line', () => {
    const { line, breaks } = resultOf(SOURCE, mutant('M'), 'killed')
    equal(line, 7)
    match(breaks, /^M: a b$/)
  })
})
