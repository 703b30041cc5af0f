import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

// What a program has to offer to stand in the matrix, and the process that it runs in.

/** What the program does; p2pt does the other. */
export const DIRECTIONS = ['seeds', 'leeches'] as const
export type Direction = (typeof DIRECTIONS)[number]

/** Of the program. */
export const ENCRYPTIONS = ['as it comes', 'refuses encryption', 'requires encryption'] as const
export type ProgramEncryption = (typeof ENCRYPTIONS)[number]

/** How the two find each other. */
export const WAYS = ['named to p2pt', 'named to it', 'private DHT', 'tracker'] as const
export type Way = (typeof WAYS)[number]

export type Endpoint = { readonly host: string; readonly port: number }

export type Job = {
  readonly direction: Direction
  readonly encryption: ProgramEncryption
  /** The words in front of a command that runs on its host. */
  readonly prefix: readonly string[]
  /** What it listens on. */
  readonly at: Endpoint
  /** A directory for its settings. */
  readonly home: string
  /** Where the file stands, or goes. */
  readonly files: string
  readonly torrentFile: string
  /** A peer that it is told of. */
  readonly peer?: Endpoint
  /** Nodes of the private DHT, its entry point first; without them its DHT is off. */
  readonly dht?: readonly Endpoint[]
}

export interface Program {
  readonly name: string
  /** What is missing on this machine to run it. */
  missing(): string | undefined
  /** Why it cannot do that, by its own documentation or source. */
  cannot(direction: Direction, encryption: ProgramEncryption, way: Way): string | undefined
  start(job: Job): Promise<Started>
}

export type Started = {
  readonly process: ProgramProcess
  /** Resolves when it does what it is told to; at once, where it does not say when. */
  ready(): Promise<void>
}

const OUTPUT_MAX = 20_000

export class ProgramProcess {
  readonly #prefix: readonly string[]
  readonly #child
  readonly #ended: Promise<unknown>
  #output = ''
  #heard = () => {}

  constructor(prefix: readonly string[], words: readonly string[], home: string) {
    this.#prefix = prefix
    const [command = '', ...rest] = [...prefix, ...words]
    // Names are asked for in vain: nothing here has a way out, and some wait for an answer before they join a DHT.
    const env = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', RES_OPTIONS: 'timeout:1 attempts:1' }
    this.#child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = once(this.#child, 'close')
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text).slice(-OUTPUT_MAX)
      this.#heard()
    }
    this.#child.stdout.on('data', keep)
    this.#child.stderr.on('data', keep)
  }

  get lastWords(): string {
    return this.#output.slice(-1_500)
  }

  /** It has said so. */
  async says(what: RegExp, withinMs = 30_000): Promise<void> {
    const until = AbortSignal.timeout(withinMs)
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`it did not say ${what}, ${why}: ${this.lastWords}`))
      this.#heard = () => {
        if (what.test(this.#output)) resolve()
      }
      until.addEventListener('abort', () => fail(`within ${withinMs} ms`))
      void this.#ended.then(() => fail('and ended'))
      this.#heard()
    })
  }

  /** What its web interface answers, which listens on its host's loopback. @param form posts it */
  async web(port: number, path: string, form?: Readonly<Record<string, string>>): Promise<string> {
    const request = `
      const [url, form] = process.argv.slice(1)
      const body = form === '' ? undefined : new URLSearchParams(JSON.parse(form))
      const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body })
      if (!answer.ok) throw new Error(answer.status + ' ' + await answer.text())
      console.log(await answer.text())`
    const url = `http://127.0.0.1:${port}${path}`
    const words = [process.execPath, '--input-type=module', '-e', request, url, form === undefined ? '' : JSON.stringify(form)]
    const [command = '', ...rest] = [...this.#prefix, ...words]
    return (await promisify(execFile)(command, rest, { timeout: 10_000 })).stdout
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** Looks again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
