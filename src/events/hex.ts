// Hex to bytes and back without `node:buffer`, so that the pure core runs anywhere.
// (Uint8Array.fromHex is in Node 25, one release after the one this project runs on.)

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index++) text += DIGITS[bytes[index] as number]
  return text
}

/** Value of each ASCII digit, 255 for what is none. A table, since ids are read from text for every message. */
const VALUES = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) {
  VALUES[value.toString(16).charCodeAt(0)] = value
  VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

const valueAt = (text: string, index: number): number => VALUES[text.charCodeAt(index)] ?? 255

/** @throws RangeError if `text` is not an even number of hex digits */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError('not hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    const high = valueAt(text, index * 2)
    const low = valueAt(text, index * 2 + 1)
    if (high > 15 || low > 15) throw new RangeError('not hex')
    bytes[index] = high * 16 + low
  }
  return bytes
}
