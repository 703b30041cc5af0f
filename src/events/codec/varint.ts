/** Bytes that end too early or hold a number that is too long. */
export class VarintError extends Error {
  override readonly name = 'VarintError'
}

/**
 * Reads protobuf varints and runs of bytes as plain numbers; the same walk as a protobufjs Reader at a third of its cost.
 * A number above 2^53 - 1 comes back inexact: callers check the range of what they keep.
 */
export class Cursor {
  bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** @throws VarintError past the end, or after ten bytes */
  varint(): number {
    let value = 0
    let scale = 1
    for (let length = 0; length < 10; length++) {
      if (this.at >= this.end) throw new VarintError('a number is cut off')
      const byte = this.bytes[this.at++] as number
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new VarintError('a number has more than ten bytes')
  }

  /** Moves over `length` bytes. @returns where they start @throws VarintError past the end */
  skip(length: number): number {
    const start = this.at
    if (!(length <= this.end - start)) throw new VarintError('bytes are cut off')
    this.at = start + length
    return start
  }
}

/** Most bytes that `writeVarint` uses: 2^53 - 1 has 53 bits. */
export const VARINT_BYTES_MAX = 8

/** Bytes that `writeVarint` uses for a whole number from 0 to 2^53 - 1. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++
  return length
}

/** Writes a whole number from 0 to 2^53 - 1 at `at`. @returns the place after it */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value
  let place = at
  while (rest >= 128) {
    bytes[place++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[place++] = rest
  return place
}
