import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mirrorTests } from './mirror-tests.ts'
import type { Fate, Result } from './score.ts'
import type { Instrumented, StrykerMutant } from './stryker-tool.ts'
import { type Answer, type Covered, TestProcess } from './test-process.ts'

/** Left where the file is loaded by a thread or process that a test started: what runs there is not seen from here. */
const ELSEWHERE = 'mutants.elsewhere'

/** A run with a mutant is late after so many times what the tests take without, and these ms; whatever else the machine does. */
const LATE_TIMES = 10
const LATE_MS = 4_000
/** A mutant throws if it is run so many times as often as without, and these; a loop that ends by itself stays far below. */
const HITS_TIMES = 3
const HITS_EXTRA = 100_000

export type StrykerTools = {
  readonly root: string
  readonly instrument: (file: string, text: string) => Promise<Instrumented>
  readonly timeoutMs: number
  /** What lives among others is not asked once more alone: three times as fast, and some more live. */
  readonly isQuick: boolean
  /** Every so many-th mutant of the file is asked. */
  readonly every: number
  readonly signal: AbortSignal
}

/** How one mutant counts. */
export function resultOf(file: string, { mutatorName, replacement, location }: StrykerMutant, fate: Fate): Result {
  const breaks = `${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 80)}`
  return { by: 'stryker', file, line: location.start.line + 1, breaks, fate }
}

/**
 * Every mutant of one file against its mirror tests. The file is instrumented once with all of them, and its tests run in one
 * process as long as it is clean: a mutant is killed by a test that fails with it and, right after, does not without it. Whatever does not end so, and what only runs when files are loaded, is asked in
 * a process of its own.
 */
export async function runStryker(tools: StrykerTools, file: string): Promise<Result[]> {
  const { root } = tools
  const tests = mirrorTests(root, file)
  if (tests.length === 0) return []
  const path = join(root, file)
  const source = readFileSync(path, 'utf8')
  const { content, mutants } = await tools.instrument(file, source)
  const counted = mutants.filter(({ status }) => status === undefined).filter((_, index) => index % tools.every === 0)
  if (counted.length === 0) return []
  const mark = JSON.stringify(join(root, ELSEWHERE))
  rmSync(join(root, ELSEWHERE), { force: true })
  try {
    writeFileSync(
      path,
      `// @ts-nocheck\n${content}\nif (!globalThis.__stryker__?.isAsked) process.getBuiltinModule('node:fs').writeFileSync(${mark}, '')\n`,
    )
    using run = new FileRun(tools, tests)
    await run.begin()
    const results: Result[] = []
    for (const mutant of counted) {
      const fate = await run.fateOf(mutant.id)
      // The processes were ended, which is no work of the mutants.
      if (tools.signal.aborted) return []
      results.push(resultOf(file, mutant, fate))
    }
    return results
  } finally {
    writeFileSync(path, source)
  }
}

class FileRun implements Disposable {
  readonly #tools: StrykerTools
  readonly #tests: readonly string[]
  #process: TestProcess | undefined
  #plain: Answer = { hits: 0, timesMs: [], covered: {} }
  #runsElsewhere = false
  #loadMs = 0

  constructor(tools: StrykerTools, tests: readonly string[]) {
    this.#tools = tools
    this.#tests = tests
  }

  /** Runs the tests without a mutant. @throws Error if they fail: then no mutant would be killed by its fault */
  async begin(): Promise<void> {
    const begun = performance.now()
    this.#process = await this.#start()
    this.#loadMs = performance.now() - begun
    const plain = await this.#process.ask({ tellsCoverage: true }, this.#tools.timeoutMs * 5)
    if (typeof plain === 'string' || plain.failed !== undefined) {
      const why = typeof plain === 'string' ? plain : plain.failed?.why
      throw new Error(`fails without any mutant: ${this.#tests.join(' ')}\n${why}`)
    }
    this.#plain = plain
    this.#runsElsewhere = existsSync(join(this.#tools.root, ELSEWHERE))
  }

  async fateOf(mutant: string): Promise<Fate> {
    const covered = this.#plain.covered[mutant]
    if (covered === undefined) return this.#runsElsewhere ? await this.#alone(mutant) : 'survived'
    const isStatic = covered.isStatic || this.#runsElsewhere
    const among = covered.tests.length > 0 ? await this.#among(mutant, covered) : 'in doubt'
    if (among === 'killed' || among === 'time') return among
    if (among === 'survived' && this.#tools.isQuick && !isStatic) return 'survived'
    return await this.#alone(mutant, isStatic ? undefined : covered.tests)
  }

  /**
   * What becomes of it in the process of all: killed if the tests that run it fail with it, and right afterwards not without.
   * The process is given up where it is in doubt.
   */
  async #among(mutant: string, covered: Covered): Promise<Fate | 'in doubt'> {
    const process = this.#process ?? (await this.#start())
    this.#process = process
    const limitMs = this.#limitMs(covered.tests)
    const answer = await process.ask({ mutant, chosen: covered.tests, hitLimit: hitLimit(covered) }, limitMs)
    if (typeof answer !== 'string') {
      if (answer.failed === undefined) return 'survived'
      const { test } = answer.failed
      const again = await process.ask({ chosen: test === undefined ? covered.tests : [test] }, limitMs)
      if (typeof again !== 'string' && again.failed === undefined) return 'killed'
    }
    this[Symbol.dispose]()
    return answer === 'late' ? 'time' : 'in doubt'
  }

  /** What becomes of it in a process of its own, which has it from the start. */
  async #alone(mutant: string, chosen?: readonly number[]): Promise<Fate> {
    const { root, timeoutMs, signal } = this.#tools
    const covered = this.#plain.covered[mutant]
    const limit = hitLimit(covered)
    const loadMsMax = LATE_MS + LATE_TIMES * this.#loadMs
    const process = await TestProcess.start({ root, tests: this.#tests, timeoutMs, signal, mutant, hitLimit: limit, loadMsMax })
    if (process === 'late') return 'time'
    if (process === 'died') return 'killed'
    using own = process
    const answer = await own.ask({ mutant, chosen, hitLimit: limit }, this.#limitMs(chosen))
    if (answer === 'late') return 'time'
    return answer === 'died' || answer.failed !== undefined ? 'killed' : 'survived'
  }

  async #start(): Promise<TestProcess> {
    const { root, timeoutMs, signal } = this.#tools
    const started = await TestProcess.start({ root, tests: this.#tests, timeoutMs, signal })
    if (typeof started === 'string') throw new Error(`cannot be loaded (${started}): ${this.#tests.join(' ')}`)
    return started
  }

  #limitMs(tests?: readonly number[]): number {
    const { timesMs } = this.#plain
    const sum = timesMs.reduce((all, ms, index) => (tests === undefined || tests.includes(index) ? all + ms : all), 0)
    return LATE_MS + LATE_TIMES * sum
  }

  [Symbol.dispose](): void {
    this.#process?.[Symbol.dispose]()
    this.#process = undefined
  }
}

const hitLimit = (covered: Covered | undefined): number => HITS_EXTRA + HITS_TIMES * (covered?.hits ?? 0)
