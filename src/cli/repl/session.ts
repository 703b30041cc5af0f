import { printable } from '../render/printable.ts'
import { REPL_COMMANDS, type ReplContext } from './commands.ts'
import { splitWords } from './split-words.ts'

const QUIT = new Set(['quit', 'exit'])

/** Lines that wait while one is carried out; more are refused, not kept. */
const WAITING_MAX = 100

/** Carries out typed lines, one after the other. An error is a line of text and never ends the session. */
export class ReplSession {
  readonly #services: Pick<ReplContext, 'node' | 'client'>
  readonly #print: (text: string) => void
  readonly #quit: () => void
  #hits: ReplContext['hits'] = []
  #running: AbortController | undefined
  #waiting = 0
  #queue: Promise<void> = Promise.resolve()

  constructor(services: Pick<ReplContext, 'node' | 'client'>, print: (text: string) => void, quit: () => void) {
    this.#services = services
    this.#print = print
    this.#quit = quit
  }

  line(line: string): void {
    if (this.#waiting >= WAITING_MAX) {
      this.#print('too many commands are waiting')
      return
    }
    this.#waiting += 1
    this.#queue = this.#queue.then(async () => {
      this.#waiting -= 1
      await this.#carryOut(line)
    })
  }

  /** Ends the command that runs. @returns false if none does */
  interrupt(): boolean {
    if (this.#running === undefined || this.#running.signal.aborted) return false
    this.#running.abort()
    return true
  }

  /** Resolves when every line so far has been carried out. */
  idle(): Promise<void> {
    return this.#queue
  }

  async #carryOut(line: string): Promise<void> {
    const { words, open } = splitWords(line)
    const [name, ...rest] = words.map(({ text }) => text)
    if (name === undefined) return
    const asked = textAfter(name, line)
    const known = REPL_COMMANDS.get(name)
    if (known?.asTyped === true && asked !== '') return this.#run(known, [asked])
    if (open !== undefined) return this.#print(`the ${open === '\\' ? 'backslash' : 'quote'} ${open} is not closed`)
    if (QUIT.has(name)) return this.#quit()
    if (name === 'help') return this.#print(help(rest[0]))
    const command = REPL_COMMANDS.get(name)
    if (command === undefined) return this.#print(`there is no command ${printable(name)}: \`help\` lists them`)
    if (rest.length < command.least) return this.#print(`usage: ${command.usage}`)
    await this.#run(command, rest)
  }

  async #run(
    command: { run(context: ReplContext, words: readonly string[]): Promise<string> },
    words: string[],
  ): Promise<void> {
    const running = new AbortController()
    this.#running = running
    const context: ReplContext = { ...this.#services, hits: this.#hits, print: this.#print, signal: running.signal }
    const interrupted = new Promise<string>((resolve) => {
      running.signal.addEventListener('abort', () => resolve('interrupted'))
    })
    try {
      this.#print(await Promise.race([command.run(context, words), interrupted]))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#print(message.split('\n').map(printable).join('\n'))
    } finally {
      this.#hits = context.hits
      this.#running = undefined
    }
  }
}

/** What stands behind the name of a command; spaces are one. */
const textAfter = (name: string, line: string): string =>
  line.trimStart().startsWith(name) ? line.trimStart().slice(name.length).trim().replaceAll(/\s+/g, ' ') : ''

/** Names for completion: every command, and the session's own two. */
export const REPL_NAMES: readonly string[] = [...REPL_COMMANDS.keys(), 'help', 'quit']

export function help(name?: string): string {
  const command = name === undefined ? undefined : REPL_COMMANDS.get(name)
  if (command !== undefined) return `${command.usage}\n  ${command.summary}`
  const width = Math.max(...[...REPL_COMMANDS.values()].map(({ usage }) => usage.length))
  const lines = [...REPL_COMMANDS.values()].map(({ usage, summary }) => `${usage.padEnd(width)}  ${summary}`)
  return [...lines, `${'help [COMMAND]'.padEnd(width)}  this list`, `${'quit'.padEnd(width)}  stop the node and leave`].join(
    '\n',
  )
}
