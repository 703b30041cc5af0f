import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline'
import type { Completion } from './completion.ts'

const PROMPT = 'p2pt> '

/** A second Ctrl-C within this time leaves, ms. */
const SECOND_INTERRUPT_MS = 2000

export type PromptHandlers = {
  line(line: string): void
  /** Ctrl-D, the second Ctrl-C, the end of the input, or a terminal that is gone. */
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
  readonly #input: NodeJS.ReadStream
  readonly #output: NodeJS.WriteStream
  readonly #terminal: boolean
  #interruptedAt = Number.NEGATIVE_INFINITY
  #open = true

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, history: readonly string[], handlers: PromptHandlers) {
    this.#input = input
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
    this.#readline.on('close', () => this.#leave(handlers))
    // Of a terminal that was closed: it cannot be read, and its mode cannot be set.
    this.#readline.on('error', () => this.#leave(handlers))
    if (!this.#terminal) return
    process.on('SIGCONT', this.#resume)
    // readline has paused by then, if it was Ctrl-Z: a prompt resumes it.
    this.#readline.on('SIGCONT', () => this.#readline.prompt(true))
    this.#readline.prompt()
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
    process.off('SIGCONT', this.#resume)
    if (!this.#open) return
    this.#open = false
    if (this.#terminal) this.#output.write('\n')
    this.#readline.close()
  }

  #leave(handlers: PromptHandlers): void {
    this.#open = false
    process.off('SIGCONT', this.#resume)
    handlers.leave()
  }

  /** Stopped and continued: the terminal is as the shell left it. readline sees to it after Ctrl-Z alone. */
  readonly #resume = (): void => {
    if (!this.#open) return
    // Off and on: Node does nothing where it believes that the mode is the one asked for.
    this.#input.setRawMode(false)
    this.#input.setRawMode(true)
    this.#readline.prompt(true)
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
    this.print('(Ctrl-C again within 2 s, or quit, to leave)')
  }
}
