import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectNode } from '../../control/index.ts'
import type { NodeRole } from '../../events/index.ts'

export type NodeProcessOptions = {
  name: string
  role: NodeRole
  dataDirectory: string
  port: number
  bootstrap: readonly string[]
  /** The folder of its network's owner. */
  network: string
  flags?: readonly string[]
  /** Aborted when it must not be started any more. */
  signal?: AbortSignal
  /** Told of each process that it runs. */
  onProcess?: { started(pid: number): void; ended(pid: number): void }
}

/** How long a node may take to be ready, ms, and how often it is asked. */
const READY_MS_MAX = 30_000
const READY_POLL_MS = 100
/** A node that was asked to stop ends within 5 s by itself (stop-signals.ts), ms; one that hangs is killed after this. */
const STOP_MS_MAX = 6000
/** Lines of its output shown when it fails. */
const LAST_WORDS = 25

/** A node as a process of its own, started as a person would start it. */
export class NodeProcess {
  readonly options: NodeProcessOptions
  #child: ChildProcess | undefined
  #asked: NodeJS.Signals | null = null

  constructor(options: NodeProcessOptions) {
    this.options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it prints goes to a file and not to a pipe: a node that is left up must not end when this process does. */
  get outputFile(): string {
    return `${this.options.dataDirectory}.log`
  }

  /** What it said at its end, if it ended in another way than it was told to. To be asked when it has ended. */
  get crash(): string | undefined {
    const child = this.#child
    if (child === undefined || !hasEnded(child)) return undefined
    if (child.exitCode === 0 || child.signalCode === this.#asked) return undefined
    return this.#failure(`${this.options.name} stopped by itself (${endOf(child)}); its last words:`).message
  }

  /**
   * Starts it and resolves when it says that it is ready.
   * @throws Error with its last output when it does not; the signal's reason once that is aborted
   */
  async start(): Promise<void> {
    const { name, role, dataDirectory, port, bootstrap, network, flags = [], signal, onProcess } = this.options
    signal?.throwIfAborted()
    const args = [role, 'start', '--json', '--data', dataDirectory, '--host', '127.0.0.1', '--port', String(port)]
    args.push('--network', network)
    for (const address of bootstrap) args.push('--bootstrap', address)
    mkdirSync(dirname(this.outputFile), { recursive: true })
    const output = openSync(this.outputFile, 'a', 0o600)
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, ...args, ...flags], {
      stdio: ['ignore', output, output],
      // Out of the terminal's process group, so that Ctrl-C reaches the story first and it stops them in order.
      detached: true,
    })
    closeSync(output)
    const { pid } = child
    if (pid !== undefined) {
      onProcess?.started(pid)
      child.once('exit', () => onProcess?.ended(pid))
    }
    this.#child = child
    this.#asked = null
    const deadline = performance.now() + READY_MS_MAX
    while (!(await this.#isReady())) {
      if (hasEnded(child)) throw this.#failure(`${name} stopped (${endOf(child)}) before it was ready`)
      if (performance.now() > deadline) throw this.#failure(`${name} was not ready after ${READY_MS_MAX / 1000} s`)
      await delay(READY_POLL_MS)
      signal?.throwIfAborted()
    }
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
    this.#child?.unref()
  }

  async #isReady(): Promise<boolean> {
    try {
      const { node } = await connectNode(this.options.dataDirectory)
      const { ready, pid } = await node.status()
      return ready && pid === this.#child?.pid
    } catch {
      // It is not there yet, or is just starting.
      return false
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    this.#asked = signal
    const exited = once(child, 'exit')
    child.kill(signal)
    const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await exited
    clearTimeout(killing)
  }

  #failure(sentence: string): Error {
    const lines = readFileSync(this.outputFile, 'utf8').trimEnd().split('\n')
    return new Error([sentence, ...lines.slice(-LAST_WORDS).map((line) => `  ${line}`)].join('\n'))
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null
const endOf = (child: ChildProcess): string => child.signalCode ?? `exit code ${child.exitCode}`
