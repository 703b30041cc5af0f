import type { Draw } from './draw.ts'

// Bencode (BEP 3) that was right once: lengths that lie, numbers beyond any bound, nesting, keys twice, cuts and flips.

const LENGTHS = ['-3', '-1', '0', '00', '01', '4294967295', '4294967296', '9007199254740993', '99999999999999999999', '']
const INTEGERS = ['-0', '-1', '0', '01', '4294967296', '-9007199254740993', '1e9', '', '99999999999999999999999999', '10000000']
const LETTERS = 'dlie0123456789-:'
const DEPTHS = [63, 64, 65, 66, 1_000, 10_000]

type Change = (draw: Draw, text: string) => string

const CHANGES: readonly Change[] = [
  (_, text) => text,
  // A string's length, wherever one stands.
  (draw, text) => replaceOne(draw, text, /\d+:/g, () => `${draw.of(LENGTHS)}:`),
  (draw, text) => replaceOne(draw, text, /i-?\d+e/g, () => `i${draw.of(INTEGERS)}e`),
  // Another type than the reader looks for.
  (draw, text) => replaceOne(draw, text, /i-?\d+e/g, () => draw.of(['le', 'de', '1:a', '0:', 'd1:ai1ee'])),
  (draw, text) => {
    const depth = draw.of(DEPTHS)
    const [open, shut] = draw.of([
      ['l', 'e'],
      ['d1:a', 'e'],
    ])
    const nested = `${open.repeat(depth)}${open === 'l' ? '' : 'le'}${shut.repeat(draw.chance(0.8) ? depth : 0)}`
    return replaceOne(draw, text, /i-?\d+e/g, () => nested)
  },
  (draw, text) => text.slice(0, draw.below(text.length + 1)),
  (draw, text) => text + text.slice(draw.below(text.length)),
  (draw, text) => {
    const at = draw.below(text.length + 1)
    return text.slice(0, at) + draw.of(['e', 'd', 'l', 'i', '-3:', '9:', '\u0000', '1:a']) + text.slice(at)
  },
  // A key twice, when the first entry is not too large.
  (_, text) => (text.startsWith('d') ? `d${text.slice(1, 40)}${text.slice(1)}` : text),
  (draw, text) => {
    const letters = [...text]
    for (let count = 1 + draw.below(4); count > 0; count--)
      letters[draw.below(letters.length)] = draw.chance(0.7) ? draw.of([...LETTERS]) : String.fromCharCode(draw.below(256))
    return letters.join('')
  },
]

/** @param honest bencode, one character a byte (latin-1) */
export function mangledBencode(draw: Draw, honest: string): Uint8Array {
  let text = honest
  for (let count = 1 + draw.below(2); count > 0; count--) text = draw.of(CHANGES)(draw, text)
  return Buffer.from(text, 'latin1')
}

function replaceOne(draw: Draw, text: string, pattern: RegExp, by: () => string): string {
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return text
  const { 0: match, index } = draw.of(found)
  return text.slice(0, index) + by() + text.slice(index + match.length)
}
