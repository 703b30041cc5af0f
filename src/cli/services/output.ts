import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Least time between two progress lines where the output is no terminal, ms: a log file should stay short. */
const PLAIN_INTERVAL_MS = 2000

/** Writes a line; resolves when the reader has room for more, so a long listing never piles up in memory. */
export async function writeLine(line: string, output: Writable = process.stdout): Promise<void> {
  if (!output.write(`${line}\n`)) await once(output, 'drain')
}

/** Progress that is redrawn on one line of a terminal; elsewhere a plain line now and then, none for what is done sooner. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream
  #drawn = false
  readonly #now: () => number
  #lastPlainAt: number

  /** @param now in ms */
  constructor(output: NodeJS.WriteStream = process.stderr, now = () => performance.now()) {
    this.#output = output
    this.#now = now
    this.#lastPlainAt = now()
  }

  /** @param draw makes the line for so many columns */
  show(draw: (columns: number) => string): void {
    if (this.#output.isTTY) {
      this.#output.write(`\r\u001b[K${draw((this.#output.columns || 80) - 1)}`)
      this.#drawn = true
      return
    }
    const now = this.#now()
    if (now - this.#lastPlainAt < PLAIN_INTERVAL_MS) return
    this.#lastPlainAt = now
    this.#output.write(`${draw(200)}\n`)
  }

  /** Leaves the line that stands, for what is printed next. */
  end(): void {
    if (this.#drawn) this.#output.write('\n')
    this.#drawn = false
  }
}

/** The result of a long call, its progress shown meanwhile. */
export async function withProgress<P, R>(
  work: AsyncGenerator<P, R, void>,
  show: ((progress: P) => void) | undefined,
): Promise<R> {
  for (;;) {
    const step = await work.next()
    if (step.done === true) return step.value
    show?.(step.value)
  }
}
