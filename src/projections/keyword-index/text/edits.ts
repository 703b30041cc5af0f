// Words that differ by one slip of the finger: a letter too many, one too few, another one, or two in the wrong order. Source: Damerau,
// A technique for computer detection and correction of spelling errors, 1964, where these four make up four errors in five.

/** Shorter words are near to too many others, and longer ones are no words. In UTF-16 units. */
export const SLIP_LENGTH_MIN = 4
const SLIP_LENGTH_MAX = 32

/** Letters that may stand in the place of others, of the alphabets that are typed letter by letter. */
const ALPHABETS: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz',
  'абвгдежзийклмнопрстуфхцчшщъыьэюя',
  'αβγδεζηθικλμνξοπρστυφχψω',
]

/** True for a word of letters alone that is long enough to be told from others: numbers and codes have no slips. */
export const canSlip = (word: string): boolean =>
  word.length >= SLIP_LENGTH_MIN && word.length <= SLIP_LENGTH_MAX && /^\p{L}+$/u.test(word)

/** True if one slip makes one of the other; not for equal words. */
export function isOneSlip(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1 || a === b) return false
  let at = 0
  while (at < short.length && short[at] === long[at]) at += 1
  // A letter too many in the longer one; in words of one length another letter, or two that were swapped.
  if (long.length > short.length) return short.slice(at) === long.slice(at + 1)
  if (short.slice(at + 1) === long.slice(at + 1)) return true
  return short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2)
}

/** How many letters from the front a range of words has in common with a word that is looked for. */
export const SAME_BEGINNING = 2

/** Words one slip away that do not begin with the same two letters, each once. */
export function* slipsOfBeginning(word: string): Generator<string> {
  const seen = new Set([word])
  const alphabet = ALPHABETS.find((letters) => letters.includes(word[0] ?? '')) ?? ''
  for (let at = 0; at < SAME_BEGINNING; at++) {
    const [before, after] = [word.slice(0, at), word.slice(at + 1)]
    const made = [before + after, before + after.slice(0, 1) + word[at] + after.slice(1)]
    for (const letter of alphabet) made.push(before + letter + after, before + letter + word.slice(at))
    for (const one of made) {
      if (seen.has(one) || one.startsWith(word.slice(0, SAME_BEGINNING))) continue
      seen.add(one)
      yield one
    }
  }
}
