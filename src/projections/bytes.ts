// Numbers, text and runs of bytes one after the other in a row. What is read was written by the same version and carries a
// checksum (row-table.level.ts): a reader goes past the end only by a fault of ours.

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Grows as it is written to. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number from 0 to 2^53 - 1, in seven bits a byte, the lowest first. */
  number(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7
    }
    this.#bytes[this.#length++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** UTF-8 behind its length in bytes. Lone surrogates are lost. */
  text(text: string): void {
    let isAscii = text.length < 64
    for (let index = 0; isAscii && index < text.length; index++) isAscii = text.charCodeAt(index) < 128
    if (!isAscii) {
      const bytes = encoder.encode(text)
      this.number(bytes.length)
      this.raw(bytes)
      return
    }
    this.number(text.length)
    this.#reserve(text.length)
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index)
  }

  /** Pairs of hex digits as bytes, without their number. */
  hex(digits: string): void {
    this.#reserve(digits.length / 2)
    for (let index = 0; index < digits.length; index += 2) {
      this.#bytes[this.#length++] = (nibble(digits.charCodeAt(index)) << 4) | nibble(digits.charCodeAt(index + 1))
    }
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** What was written, until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Begins anew in the same memory. */
  clear(): void {
    this.#length = 0
  }
}

export class ByteReader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0
  }

  number(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.bytes[this.at++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    const bytes = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return bytes
  }

  text(): string {
    const length = this.number()
    const end = this.at + length
    if (length < 24) {
      let text = ''
      let index = this.at
      for (; index < end; index++) {
        const byte = this.bytes[index] ?? 0
        if (byte > 127) break
        text += String.fromCharCode(byte)
      }
      if (index === end) {
        this.at = end
        return text
      }
    }
    const text = decoder.decode(this.bytes.subarray(this.at, end))
    this.at = end
    return text
  }

  hex(length: number): string {
    let digits = ''
    for (let index = 0; index < length; index++) digits += HEX[this.bytes[this.at++] ?? 0]
    return digits
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const nibble = (unit: number): number => (unit < 58 ? unit - 48 : unit - 87)

/** Four bytes of a byte key, the highest first: keys of numbers are in the order of the numbers. */
export const key32 = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)

/** A byte key of pairs of hex digits. */
export function hexKey(digits: string): string {
  let key = ''
  for (let index = 0; index < digits.length; index += 2)
    key += String.fromCharCode((nibble(digits.charCodeAt(index)) << 4) | nibble(digits.charCodeAt(index + 1)))
  return key
}
