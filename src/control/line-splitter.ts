/** Longest line taken in, in bytes: a torrent file of 6 MB as base64 fits. */
export const LINE_BYTES_MAX = 8 * 1024 * 1024

const NEWLINE = 10

/** A whole line without its end, or one that was too long and was thrown away as it came. */
export type Line = string | { tooLong: true }

/** Cuts a stream of bytes into lines of UTF-8 text, and never holds more than one line of the longest length. */
export class LineSplitter {
  readonly #bytesMax: number
  #parts: Uint8Array[] = []
  #bytes = 0
  #skipping = false

  constructor(bytesMax = LINE_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** The lines that end within `chunk`; an overlong line is told once, as soon as it is known to be one. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = []
    let from = 0
    while (from < chunk.length) {
      const end = chunk.indexOf(NEWLINE, from)
      const part = chunk.subarray(from, end === -1 ? chunk.length : end)
      from = end === -1 ? chunk.length : end + 1
      if (!this.#skipping && this.#bytes + part.length > this.#bytesMax) {
        this.#skipping = true
        this.#clear()
        lines.push({ tooLong: true })
      }
      if (!this.#skipping) {
        this.#parts.push(part)
        this.#bytes += part.length
      }
      if (end === -1) break
      if (!this.#skipping) lines.push(this.#text())
      this.#skipping = false
      this.#clear()
    }
    return lines
  }

  #text(): string {
    const joined = new Uint8Array(this.#bytes)
    let at = 0
    for (const part of this.#parts) {
      joined.set(part, at)
      at += part.length
    }
    return new TextDecoder().decode(joined)
  }

  #clear(): void {
    this.#parts = []
    this.#bytes = 0
  }
}
