import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

/** How the tests of a process run a mutant, without any being active. */
export type Covered = {
  /** It is run when the files are loaded, before any test. */
  isStatic: boolean
  /** How often it is run. */
  hits: number
  /** Which tests do, as indices. */
  tests: number[]
}

/** A run of tests, until the first of them fails. */
export type Question = {
  /** None is active where it is left out. */
  readonly mutant?: string | undefined
  /** Indices of tests; all where they are left out. */
  readonly chosen?: readonly number[] | undefined
  /** The mutant throws when it is run more often: most loops without an end do. */
  readonly hitLimit?: number | undefined
  readonly tellsCoverage?: boolean
}

export type Answer = {
  /** The first that failed; without an index if it was no test but a hook. */
  readonly failed?: { readonly test: number | undefined; readonly why: string } | undefined
  /** How often the active mutant was run. */
  readonly hits: number
  /** Of each test, in ms; 0 of those that did not run. */
  readonly timesMs: readonly number[]
  /** By the ids of mutants; empty if it was not asked for. */
  readonly covered: Readonly<Record<string, Covered>>
}

export type TestProcessOptions = {
  /** Of the copy of the tree. */
  readonly root: string
  readonly tests: readonly string[]
  /** Of one test, in ms. */
  readonly timeoutMs: number
  /** Active from the start on, so that what is run when the files are loaded has it too. */
  readonly mutant?: string | undefined
  /** As of a question, while the files are loaded. */
  readonly hitLimit?: number
  /** For Node to start and the files to be loaded, in ms; a minute if it is not given. */
  readonly loadMsMax?: number
  readonly signal: AbortSignal
}

const LOAD_MS_MAX = 60_000
/** Folder of the copy: most of the start is reading TypeScript. */
const COMPILED = 'mutants.compiled'
/** Against loops that only grow: such a process dies, which kills the mutant. In MiB. */
const HEAP_MIB_MAX = 1_500

/** A process in which tests are run again and again; in a group of its own, which ends with it. */
export class TestProcess implements Disposable {
  readonly #child: ChildProcess
  readonly #signal: AbortSignal
  readonly #end = (): void => this[Symbol.dispose]()
  #isOver = false

  private constructor({ root, tests, timeoutMs, mutant = '', hitLimit, signal }: TestProcessOptions) {
    const env = { ...process.env, FORCE_COLOR: '0', NODE_COMPILE_CACHE: join(root, COMPILED) }
    const execArgv = [`--max-old-space-size=${HEAP_MIB_MAX}`]
    const options = { cwd: root, env, execArgv, detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] as 'ignore'[] }
    this.#child = fork(
      join(import.meta.dirname, 'test-worker.ts'),
      [mutant, String(hitLimit), String(timeoutMs), ...tests],
      options,
    )
    this.#child.once('exit', () => {
      this.#isOver = true
    })
    this.#child.on('error', this.#end)
    this.#signal = signal
    signal.addEventListener('abort', this.#end, { once: true })
    if (signal.aborted) this.#end()
  }

  /** A process that has loaded the files, or how it failed to. */
  static async start(options: TestProcessOptions): Promise<TestProcess | 'late' | 'died'> {
    const started = new TestProcess(options)
    const answer = await started.#next(options.loadMsMax ?? LOAD_MS_MAX)
    if (answer !== 'late' && answer !== 'died') return started
    started[Symbol.dispose]()
    return answer
  }

  /** Runs tests. After `late` or `died` the process is of no more use. */
  async ask(question: Question, limitMs: number): Promise<Answer | 'late' | 'died'> {
    const answer = this.#next(limitMs)
    if (!this.#isOver && this.#child.connected) this.#child.send(question)
    return await answer
  }

  #next(limitMs: number): Promise<Answer | 'late' | 'died'> {
    return new Promise((resolve) => {
      const settle = (answer: Answer | 'late' | 'died'): void => {
        clearTimeout(timer)
        this.#child.off('message', settle).off('exit', died)
        resolve(answer)
      }
      const died = (): void => settle('died')
      const timer = setTimeout(() => settle('late'), limitMs)
      this.#child.once('message', settle).once('exit', died)
      if (this.#isOver) died()
    })
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#end)
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // Gone by itself.
    }
  }
}
