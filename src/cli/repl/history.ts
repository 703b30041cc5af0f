import { appendFile, readFile, writeFile } from 'node:fs/promises'

/** Lines kept; older ones fall off at the next start. */
export const HISTORY_LINES_MAX = 500

/** The lines typed at the prompt, in a file only its user can read: titles and paths are nobody else's business. */
export class History {
  readonly #file: string
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  /** Lines of earlier sessions, oldest first. A file that cannot be read is an empty one. */
  async load(): Promise<string[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '')
    const lines = text.split('\n').filter((line) => line !== '')
    const kept = lines.slice(-HISTORY_LINES_MAX)
    if (kept.length < lines.length) await writeFile(this.#file, `${kept.join('\n')}\n`, { mode: 0o600 }).catch(() => {})
    return kept
  }

  /** Writes one more line; a disk that is full costs the line, not the prompt. */
  add(line: string): void {
    this.#writing = this.#writing.then(() => appendFile(this.#file, `${line}\n`, { mode: 0o600 })).catch(() => {})
  }

  /** Resolves when all lines are written. */
  flush(): Promise<void> {
    return this.#writing
  }
}
