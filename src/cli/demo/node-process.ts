import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { NodeRole } from '../../events/index.ts'

export type NodeProcessOptions = {
  name: string
  role: NodeRole
  dataDirectory: string
  port: number
  bootstrap: readonly string[]
  flags?: readonly string[]
}

/** How long a node may take to say that it is ready, ms. */
const READY_MS_MAX = 30_000
/** Lines of its output kept, to be shown when it fails. */
const OUTPUT_LINES_KEPT = 40

/** A node as a process of its own, started as a person would start it. */
export class NodeProcess {
  readonly options: NodeProcessOptions
  #child: ChildProcess | undefined
  #output: string[] = []
  #asked: NodeJS.Signals | null = null

  constructor(options: NodeProcessOptions) {
    this.options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it said at its end, if it ended in another way than it was told to. To be asked when it has ended. */
  get crash(): string | undefined {
    const { exitCode = null, signalCode = null } = this.#child ?? {}
    if (exitCode === null && signalCode === null) return undefined
    if (exitCode === 0 || signalCode === this.#asked) return undefined
    return this.#failure(`${this.options.name} stopped by itself (${signalCode ?? `exit code ${exitCode}`}); its last words:`)
      .message
  }

  /** Starts it and resolves when it says `ready`. @throws Error with its last output when it does not */
  async start(): Promise<void> {
    const { name, role, dataDirectory, port, bootstrap, flags = [] } = this.options
    const args = [role, 'start', '--json', '--data', dataDirectory, '--host', '127.0.0.1', '--port', String(port)]
    for (const address of bootstrap) args.push('--bootstrap', address)
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, ...args, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Out of the terminal's process group, so that Ctrl-C reaches the story first and it stops them in order.
      detached: true,
    })
    this.#child = child
    this.#output = []
    this.#asked = null
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(this.#failure(`${name} was not ready after ${READY_MS_MAX / 1000} s`)),
        READY_MS_MAX,
      )
      child.once('exit', (code, signal) => {
        clearTimeout(timer)
        reject(this.#failure(`${name} stopped (${signal ?? `exit code ${code}`}) before it was ready`))
      })
      child.once('error', reject)
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream as NonNullable<typeof stream> }).on('line', (line) => {
          this.#output.push(line)
          if (this.#output.length > OUTPUT_LINES_KEPT) this.#output.shift()
          if (line.includes('"event":"ready"')) {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    })
    await ready
  }

  /** kill -9: no goodbye, nothing flushed. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Lets go of the process, so that it outlives this one. */
  release(): void {
    this.#child?.stdout?.destroy()
    this.#child?.stderr?.destroy()
    this.#child?.unref()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    this.#asked = signal
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  #failure(sentence: string): Error {
    return new Error([sentence, ...this.#output.slice(-25).map((line) => `  ${line}`)].join('\n'))
  }
}
