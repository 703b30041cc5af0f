// Hex to bytes and back without `node:buffer`, so that the pure core runs anywhere.
// (Uint8Array.fromHex is in Node 25, one release after the one this project runs on.)

const CODES = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0))

/** Value of a hex digit by its character code, -1 for any other. */
const VALUES = new Int8Array(128).fill(-1)
for (const [value, code] of CODES.entries()) VALUES[code] = value
for (const [value, digit] of [...'ABCDEF'].entries()) VALUES[digit.charCodeAt(0)] = 10 + value

/** Lower-case hex of `bytes[start..end)`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  // One flat string: concatenation leaves a chain of 32 pieces behind, ten times as large as the text.
  const codes: number[] = []
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    codes.push(CODES[byte >> 4] as number, CODES[byte & 15] as number)
  }
  // Arguments stand on the stack: long runs go in parts.
  if (codes.length <= 8192) return String.fromCharCode(...codes)
  let text = ''
  for (let from = 0; from < codes.length; from += 8192) text += String.fromCharCode(...codes.slice(from, from + 8192))
  return text
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
