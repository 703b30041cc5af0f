import { isAscii } from './characters.ts'

// Letters to the form they are indexed in. Marks go where people leave them out when they type (Latin, Greek, Hebrew,
// Arabic, stresses of Cyrillic) and stay where they make another letter (kana, й, the scripts of India).

/** Latin letters that no normalization takes apart, the final sigma, and Cyrillic letters that are typed without their marks. */
const SINGLE: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', đ: 'd', ð: 'd', þ: 'th', ł: 'l', ħ: 'h', ı: 'i', ŧ: 't', ŋ: 'n', ĸ: 'k', ς: 'σ' },
  ...{ ё: 'е', ѐ: 'е', ѝ: 'и' },
}
const SINGLES = new RegExp(`[${Object.keys(SINGLE).join('')}]`, 'g')

/** Two ways to write these in ASCII; they stay as they are until the tokenizer gives both. */
const UMLAUTS: Readonly<Record<string, readonly [string, string]>> = {
  ä: ['a', 'ae'],
  ö: ['o', 'oe'],
  ü: ['u', 'ue'],
  å: ['a', 'aa'],
  ø: ['o', 'oe'],
}
const UMLAUT = /[äöüåø]/g

/** Letters of Persian and Urdu, and the endings of Arabic that are written either way. Hamza goes with the marks. */
const ARABIC: Readonly<Record<string, string>> = { ٱ: 'ا', ى: 'ي', ی: 'ي', ے: 'ي', ک: 'ك', ة: 'ه', ہ: 'ه', ھ: 'ه', ە: 'ه' }
const ARABIC_LETTERS = new RegExp(`[${Object.keys(ARABIC).join('')}]`, 'g')

/** Divides a word for those who type it in parts, and joins it for the others. */
export const SOFT_JOINT = '\u00ad'
/** Zero width space and non-joiner, word joiner, byte order mark. */
const SOFT_JOINTS = /[\u200b\u200c\u2060\ufeff]/g
const SOFT_JOINTS_IN_ROW = /\u00ad{2,}/g
/** Variation selectors, directions, joiners: nobody types them. */
const IGNORED = /(?!\u00ad)\p{Default_Ignorable_Code_Point}/gu
/** Arabic letters that are only drawn longer. */
const TATWEEL = /\u0640/g
/** Dots under letters of India that many leave out. */
const NUKTAS = /[\u093c\u09bc\u0a3c\u0abc\u0b3c]/g
/** Compatibility forms that would become letters and digits of the word before them. */
const TRADE_MARKS = /[™℠®©℗]/g
const FRACTIONS = /[¼-¾⅐-⅟↉]/g
/** Raised, circled, squared: `²`, `①`, `㎏`, `№`. Some type them as a part of the word before, some apart. */
const SIGNS = /[\p{S}\p{No}]/gu
const LETTER = /[\p{L}\p{N}]/u
/** Where the decimal digits of other scripts begin; they are typed as ASCII ones. */
const ZEROS = [
  ...[0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66],
  ...[0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810],
]
const DIGITS = new RegExp(
  `[${ZEROS.map((zero) => `${String.fromCharCode(zero)}-${String.fromCharCode(zero + 9)}`).join('')}]`,
  'g',
)
const digitOf = (unit: number): number => unit - (ZEROS.find((zero) => unit >= zero && unit <= zero + 9) ?? unit)

const MARKS = /\p{M}+/gu
const LATIN_GREEK = /[\u00c0-\u02af\u0370-\u03ff\u1d00-\u1fff\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f]\p{M}*|[a-z0-9]\p{M}+/gu
const CYRILLIC_HEBREW = /([\u0400-\u052f\u05d0-\u05f2])\p{M}+/gu
const ARABIC_WORDS = /[\u0620-\u064a\u066e-\u06d3\u06d5\u06ee-\u06ff\u0750-\u077f\u08a0-\u08c9]\p{M}*/gu

function latin(letter: string): string {
  const composed = letter.normalize('NFC')
  if (UMLAUTS[composed] !== undefined) return composed
  return letter.normalize('NFKD').replace(MARKS, '')
}

function apart(sign: string): string {
  const letters = sign.normalize('NFKC')
  return letters === sign || !LETTER.test(letters) ? sign : SOFT_JOINT + letters + SOFT_JOINT
}

/** Which of the steps below a character may need. */
const UNSEEN = 1
const SIGN = 2
const LATIN = 4
const OTHER_MARKS = 8
const ARABIC_STEP = 16
const OTHER_DIGITS = 32
const ALL = 63

/** From each of these code units on up to the next: what characters there may need. */
const STEPS: readonly (readonly [from: number, steps: number])[] = [
  [0x80, UNSEEN | SIGN | LATIN],
  [0x300, UNSEEN | LATIN],
  [0x400, OTHER_MARKS],
  [0x530, 0],
  [0x590, ALL],
  [0x1d00, LATIN],
  [0x2000, ALL],
  [0x3000, 0],
  [0x3100, UNSEEN | SIGN],
  [0x3400, 0],
  [0xa000, ALL],
  [0xac00, 0],
  [0xd7a4, ALL],
]

function stepsFor(text: string): number {
  let steps = 0
  for (let index = 0; index < text.length && steps !== ALL; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 128) continue
    let at = STEPS.length - 1
    while (unit < (STEPS[at]?.[0] ?? 0)) at -= 1
    steps |= STEPS[at]?.[1] ?? ALL
  }
  return steps
}

/** A text as it is indexed, but for umlauts: those are still in it, see `spellings`. */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  const steps = stepsFor(text)
  const needs = (step: number): boolean => (steps & step) !== 0
  let folded = text
  if (needs(UNSEEN)) folded = folded.toWellFormed().replace(SOFT_JOINTS, SOFT_JOINT).replace(IGNORED, '')
  if (needs(SIGN)) {
    folded = folded
      .replace(TRADE_MARKS, ' ')
      .replace(FRACTIONS, (fraction) => ` ${fraction.normalize('NFKC')} `)
      .replace(SIGNS, apart)
      .replace(SOFT_JOINTS_IN_ROW, SOFT_JOINT)
  }
  folded = folded.normalize('NFKC').toLowerCase()
  if (needs(OTHER_DIGITS)) folded = folded.replace(DIGITS, (digit) => String(digitOf(digit.charCodeAt(0)))).replace(NUKTAS, '')
  if (needs(LATIN)) folded = folded.replace(LATIN_GREEK, latin)
  if (needs(LATIN | OTHER_MARKS)) {
    folded = folded.replace(CYRILLIC_HEBREW, '$1').replace(SINGLES, (letter) => SINGLE[letter] ?? letter)
  }
  if (!needs(ARABIC_STEP)) return folded
  return folded
    .replace(TATWEEL, '')
    .replace(ARABIC_WORDS, (word) => word.normalize('NFD').replace(MARKS, ''))
    .replace(ARABIC_LETTERS, (letter) => ARABIC[letter] ?? letter)
}

export const hasUmlaut = (folded: string): boolean => folded.search(UMLAUT) >= 0

/** A folded word as it is typed where there are no umlauts: without the dots, and with an e. */
export const spellings = (word: string): readonly [string, string] => [
  word.replace(UMLAUT, (letter) => UMLAUTS[letter]?.[0] ?? letter),
  word.replace(UMLAUT, (letter) => UMLAUTS[letter]?.[1] ?? letter),
]
