// Runs test files again and again in one process, each time with one of Stryker's mutants or with none: forked by TestProcess,
// argv are the test files.
import { flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import fc from 'fast-check'
import Mocha from 'mocha'
import type { Answer, Covered, Question } from './test-process.ts'

/** What an instrumented file reads and writes as it runs. */
type Stryker = {
  /** That this is the thread that runs the tests. */
  isAsked: true
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number
  hitLimit?: number
  mutantCoverage?: { static: Counts; perTest: Record<string, Counts> }
}
type Counts = Record<string, number>

const ACTIVE = '__STRYKER_ACTIVE_MUTANT__'
const [active, hitLimitAtLoad, timeoutMs, ...files] = process.argv.slice(2)

const stryker: Stryker = { isAsked: true, hitCount: 0, hitLimit: Number(hitLimitAtLoad) }
;(globalThis as { __stryker__?: Stryker }).__stryker__ = stryker
activate(active === '' ? undefined : active)

/** Threads and processes that are started by a test read the environment. */
function activate(mutant: string | undefined): void {
  stryker.activeMutant = mutant
  if (mutant === undefined) delete process.env[ACTIVE]
  else process.env[ACTIVE] = mutant
}

// A mutant is killed by the first case that fails, however long it is.
fc.configureGlobal({ endOnFailure: true })

/** Keeps mocha silent. */
class NoReport {}

const mocha = new Mocha({ ui: 'bdd', bail: true, timeout: Number(timeoutMs), reporter: NoReport as never })
mocha.cleanReferencesAfterRun(false)
for (const file of files) mocha.addFile(resolve(file))
await mocha.loadFilesAsync()
// The process is killed in the end, and the next one loads the same.
flushCompileCache()

const tests: Mocha.Test[] = []
const suites: Mocha.Suite[] = []
const collect = (suite: Mocha.Suite): void => {
  suites.push(suite)
  tests.push(...suite.tests)
  for (const inner of suite.suites) collect(inner)
}
collect(mocha.suite)

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Tests within a suite: what its `before` runs is run for each of them. */
const within = (suite: Mocha.Suite): number[] =>
  tests.flatMap((test, index) => {
    for (let { parent } = test; parent !== undefined; parent = parent.parent) if (parent === suite) return [index]
    return []
  })

/** Which tests run what of the mutants. */
function coverage(): Record<string, Covered> {
  const covered: Record<string, Covered> = {}
  const of = (id: string): Covered => (covered[id] ??= { isStatic: false, hits: 0, tests: [] })
  const { static: atLoad = {}, perTest = {} } = stryker.mutantCoverage ?? {}
  for (const [id, hits] of Object.entries(atLoad)) Object.assign(of(id), { isStatic: true, hits })
  for (const [key, counts] of Object.entries(perTest)) {
    const index = Number(key.slice(1))
    const suite = suites[index]
    const ran = key.startsWith('t') ? [index] : suite === undefined ? [] : within(suite)
    for (const [id, hits] of Object.entries(counts)) {
      const entry = of(id)
      entry.hits += hits
      entry.tests = [...new Set([...entry.tests, ...ran])].sort((a, b) => a - b)
    }
  }
  return covered
}

function run({ mutant, chosen, hitLimit, tellsCoverage }: Question): Promise<Answer> {
  const titles = chosen?.map((index) => escaped(tests[index]?.fullTitle() ?? ''))
  mocha.grep(titles === undefined ? /.*/ : new RegExp(`^(?:${titles.join('|')})$`))
  activate(mutant)
  stryker.hitCount = 0
  stryker.hitLimit = hitLimit ?? Number.POSITIVE_INFINITY
  let failed: Answer['failed']
  const timesMs = tests.map(() => 0)
  return new Promise((done) => {
    const runner = mocha.run(() => {
      const hits = stryker.hitCount ?? 0
      activate(undefined)
      done({ failed, hits, timesMs, covered: tellsCoverage === true ? coverage() : {} })
    })
    runner.on('suite', (suite) => {
      stryker.currentTestId = `s${suites.indexOf(suite)}`
    })
    runner.on('test', (test) => {
      stryker.currentTestId = `t${tests.indexOf(test)}`
    })
    runner.on('test end', (test) => {
      timesMs[tests.indexOf(test)] = test.duration ?? 0
    })
    runner.on('fail', (test, error: Error) => {
      const index = tests.indexOf(test)
      failed ??= { test: index < 0 ? undefined : index, why: `${test.fullTitle()}: ${error.stack ?? error.message}` }
    })
  })
}

process.on('message', async (question: Question) => process.send?.(await run(question)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
