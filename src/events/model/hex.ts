// Hex to bytes and back without `node:buffer`, so that the pure core runs anywhere.
// (Uint8Array.fromHex is in Node 25, one release after the one this project runs on.)

const CODES = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0))

/** Value of a hex digit by its character code, -1 for any other. */
const VALUES = new Int8Array(128).fill(-1)
for (const [value, code] of CODES.entries()) VALUES[code] = value
for (const [value, digit] of [...'ABCDEF'].entries()) VALUES[digit.charCodeAt(0)] = 10 + value

const ascii = new TextDecoder()
/** A longer run of bytes goes another way than an id. */
const SHORT_BYTES = 4_096

/** Lower-case hex of `bytes[start..end)`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  // One flat string: concatenation leaves a chain of 32 pieces behind, ten times as large as the text.
  if (end - start > SHORT_BYTES) return longHex(bytes, start, end)
  const codes: number[] = []
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    codes.push(CODES[byte >> 4] as number, CODES[byte & 15] as number)
  }
  return String.fromCharCode(...codes)
}

/** Megabytes, such as a torrent file has, without a number in memory for each digit. */
function longHex(bytes: Uint8Array, start: number, end: number): string {
  const codes = new Uint8Array(2 * (end - start))
  for (let index = start, at = 0; index < end; index++) {
    const byte = bytes[index] as number
    codes[at++] = CODES[byte >> 4] as number
    codes[at++] = CODES[byte & 15] as number
  }
  return ascii.decode(codes)
}

/** @throws RangeError if `text` is not an even number of hex digits */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError('not hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    const high = VALUES[text.charCodeAt(index * 2)] ?? -1
    const low = VALUES[text.charCodeAt(index * 2 + 1)] ?? -1
    if (high < 0 || low < 0) throw new RangeError('not hex')
    bytes[index] = high * 16 + low
  }
  return bytes
}
