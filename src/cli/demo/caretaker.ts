import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'

/**
 * A process that outlives the demo by a moment: should that end in whatever way (kill -9, an exception) without `release`,
 * it ends the nodes and removes the folder. It notices by its stdin, which the system closes.
 */
export class Caretaker {
  readonly #child: ChildProcess

  /** @param directory what it removes */
  constructor(directory: string) {
    // .js where built, .ts where run from the sources.
    const program = join(import.meta.dirname, `caretaker-process${extname(import.meta.filename)}`)
    this.#child = spawn(process.execPath, [...process.execArgv, program, directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Ctrl-C and a closed terminal reach the demo alone.
      detached: true,
    })
    // If it cannot be, the demo still cleans up whenever it ends by itself.
    this.#child.on('error', () => {})
    this.#child.stdin?.on('error', () => {})
    this.#child.unref()
  }

  started(pid: number): void {
    this.#tell(`+${pid}`)
  }

  ended(pid: number): void {
    this.#tell(`-${pid}`)
  }

  /** Nothing is left to do: all is in order, or is to be kept. */
  async release(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.stdin?.end('release\n', () => resolve())
    if (this.#child.exitCode === null && this.#child.pid !== undefined) await promise
  }

  #tell(line: string): void {
    if (this.#child.stdin?.writable === true) this.#child.stdin.write(`${line}\n`)
  }
}
