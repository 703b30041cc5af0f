import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline'
import type { Completion } from './completion.ts'

const PROMPT = 'p2pt> '

/** A second Ctrl-C within this time leaves, ms. */
const SECOND_INTERRUPT_MS = 2000

export type PromptHandlers = {
  line(line: string): void
  /** Ctrl-D, the second Ctrl-C, or the end of the input. */
  leave(): void
  /** Ctrl-C with nothing typed: true if it ended something that was going on. */
  interrupt(): boolean
  complete(line: string): Promise<Completion>
}

/**
 * A line being typed, and text that appears above it. Where the output is no terminal it is plain lines in and out.
 * @param history oldest line first
 */
export class Prompt {
  readonly #readline: Interface
  readonly #output: NodeJS.WriteStream
  readonly #terminal: boolean
  #interruptedAt = Number.NEGATIVE_INFINITY
  #open = true

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, history: readonly string[], handlers: PromptHandlers) {
    this.#output = output
    this.#terminal = input.isTTY === true && output.isTTY === true
    this.#readline = createInterface({
      input,
      output,
      terminal: this.#terminal,
      prompt: PROMPT,
      history: [...history].reverse(),
      historySize: 500,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, completion: Completion) => void) => {
        handlers.complete(line).then(
          (completion) => done(null, completion),
          () => done(null, [[], line]),
        )
      },
    })
    this.#readline.on('line', (line) => {
      if (this.#terminal) this.#readline.prompt()
      handlers.line(line)
    })
    this.#readline.on('SIGINT', () => this.#interrupt(handlers))
    this.#readline.on('close', () => {
      this.#open = false
      handlers.leave()
    })
    if (this.#terminal) this.#readline.prompt()
  }

  /** Prints above the line being typed, which stays as it is, with the cursor where it was. */
  print(text: string): void {
    if (!this.#terminal || !this.#open) {
      this.#output.write(`${text}\n`)
      return
    }
    const { rows } = this.#readline.getCursorPos()
    moveCursor(this.#output, 0, -rows)
    cursorTo(this.#output, 0)
    clearScreenDown(this.#output)
    // readline goes up by the rows it knows of before it draws: give it those rows. After a paste it knows of fewer
    // than there are.
    const known = 'prevRows' in this.#readline ? Number(this.#readline.prevRows) : rows
    this.#output.write(`${text}\n${'\n'.repeat(known)}`)
    this.#readline.prompt(true)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#terminal) this.#output.write('\n')
    this.#readline.close()
  }

  /** Ctrl-C: first it clears the line, or ends what goes on; with nothing left, the second one leaves. */
  #interrupt(handlers: PromptHandlers): void {
    const now = performance.now()
    const again = now - this.#interruptedAt < SECOND_INTERRUPT_MS
    if (this.#readline.line !== '') {
      this.#readline.write(null, { ctrl: true, name: 'e' })
      this.#readline.write(null, { ctrl: true, name: 'u' })
      return
    }
    if (handlers.interrupt()) return
    if (again) {
      this.close()
      handlers.leave()
      return
    }
    this.#interruptedAt = now
    this.print('(Ctrl-C again, or quit, to leave)')
  }
}
