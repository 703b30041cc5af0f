// Letters to the form they are indexed in. Compatibility forms (full width, ligatures) fold for every script; marks are
// stripped for Latin and Greek only: taking them from kana turns one word into another, and й is a letter of its own.

/** Latin letters that NFKD does not take apart, and the final sigma. */
const SINGLE: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ς: 'σ',
}
const SINGLES = new RegExp(`[${Object.keys(SINGLE).join('')}]`, 'g')
const MARKED = /([\p{Script=Latin}\p{Script=Greek}])\p{M}+/gu
const LATIN_OR_GREEK = /[\p{Script=Latin}\p{Script=Greek}]\p{M}*/gu

export function normalize(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(LATIN_OR_GREEK, (letter) => letter.normalize('NFKD'))
    .replace(MARKED, '$1')
    .replace(SINGLES, (letter) => SINGLE[letter] ?? letter)
}
