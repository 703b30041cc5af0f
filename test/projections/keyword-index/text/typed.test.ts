import assert from 'node:assert/strict'
import fc from 'fast-check'
import { flagsOf } from '../../../../src/projections/keyword-index/text/aliases.ts'
import { parseQuery, titlesMatch } from '../../../../src/projections/keyword-index/text/index.ts'

/** Marks that are not seen go, but for those that divide words for some. Runs of letters, digits and marks, and the words that have signs in them. */
const WORDS =
  /(?<![\p{L}\p{N}\p{M}\u00ad\u200b\u200c\u2060\ufeff'’])(?:c\+\+|[cf]#(?!\p{L})|\.net(?![\p{L}\p{N}\p{M}]))|[\p{L}\p{N}\p{M}]+/giu
/** Something that is not left out by whoever types. */
const HAS_LETTER = /(?![\p{Default_Ignorable_Code_Point}ʹ-ʿˈـ])[\p{L}\p{N}]/u
/** Trade marks, fractions and raised digits, of which compatibility makes other words. */
const COMPATIBLE = /[™℠®©℗¼-¾⅐-⅟↉⁰¹²³⁴-⁹₀-₉]/
/** Scripts that people type without marks. */
const WITHOUT_MARKS = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Hebrew}\p{Script=Arabic}\p{M}\p{Nd}]+$/u

const UNSEEN = /(?![\u00ad\u200b\u200c\u2060\ufeff])\p{Default_Ignorable_Code_Point}/gu
const wordsOf = (title: string): string[] =>
  (title.toWellFormed().replaceAll(UNSEEN, '').match(WORDS) ?? []).filter((word) => HAS_LETTER.test(word.normalize('NFKC')))

/** As people may type a word that they read. */
function typedForms(word: string): string[] {
  const forms = [word, word.normalize('NFC'), word.normalize('NFD')]
  if (!COMPATIBLE.test(word)) forms.push(word.normalize('NFKC'), word.normalize('NFKD'))
  return forms
}
const otherCases = (word: string): string[] => [word.toUpperCase(), word.toLowerCase(), word.toUpperCase().toLowerCase()]
const withoutMarks = (word: string): string[] =>
  WITHOUT_MARKS.test(word) ? [word.normalize('NFD').replaceAll(/\p{M}/gu, '')].filter((bare) => HAS_LETTER.test(bare)) : []

const isFound = (title: string, text: string): boolean => titlesMatch(parseQuery(text), [title], 'x')
function assertFound(title: string, text: string): void {
  const message = () => `${JSON.stringify(text)} in ${JSON.stringify(title)}: ${JSON.stringify(parseQuery(text))}`
  assert.ok(isFound(title, text), message())
}

const LETTERS: readonly string[] = [
  ...['abcdefghijklmnopqrstuvwxyz', 'ABCDEFXS', '0123456789', 'äöüßéñçåøæœłđıİſẞǅ', 'άέήίόύώςσΆΩ', 'ёйиеЁЙїў'],
  ...[
    'ابتأإآةىيؤئڪکی',
    '٠١٢۳۴',
    'שלוםאב',
    'ガギかがー々東京国',
    '가나다한글',
    'ไทยภาพผีเสื้อ',
    'ລາວ',
    'ខ្មែរ',
    'မြန်မာ',
    'शोले',
    'தமிழ்',
  ],
].flatMap((letters) => [...letters])
const SEPARATORS = [..." .-_/·&,:()[]+#'’*™\u00ad\u200b\u200c\u200d\ufe0f", ' - ', '. ', ' | ', '🔥', '❤️']
const RELEASE = [
  'S01E05',
  's1e5',
  '1x05',
  'S01E05E06',
  'S01E05-E07',
  'Season',
  'Episode',
  'H.264',
  'x265',
  'WEB-DL',
  'DDP5.1',
  'v1.2.3',
  '12,000',
]
const MORE = [
  "don't",
  'cafe\u0301',
  'S.H.I.E.L.D.',
  'AC/DC',
  'C++',
  'C#',
  '.NET',
  'Node.js',
  'spider-man',
  '1080p',
  'сезон',
  'R&B',
  'J. R. R.',
]
const textOf = (letters: readonly string[], minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength, maxLength }).map((units) => units.join(''))
const word = textOf(LETTERS, 1, 6).filter((text) => /^[\p{L}\p{N}]/u.test(text))
const piece = fc.oneof({ weight: 4, arbitrary: word }, fc.constantFrom(...RELEASE, ...MORE))
const titles = fc
  .array(fc.tuple(piece, fc.constantFrom(...SEPARATORS)), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.map(([text, separator]) => text + separator).join(''))

describe('a title', () => {
  it('is found by any of its words, in another case, another normalization form, and without marks', () => {
    fc.assert(
      fc.property(titles, (title) => {
        for (const each of wordsOf(title)) {
          for (const text of typedForms(each).flatMap((form) => [form, ...otherCases(form), ...withoutMarks(form)]))
            assertFound(title, text)
        }
      }),
      { numRuns: 150, examples: [['må4 a '], ['ma4.1'], ['đd5']] },
    )
  })

  it('is found by any of its words, whatever characters Unicode has', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string()), (title) => {
        for (const each of wordsOf(title)) for (const text of typedForms(each)) assertFound(title, text)
      }),
      { numRuns: 1000, examples: [['\ud83d a'], ['a\udc00b'], ['\u0000a\u001fb'], ['ŉ ẚ'], ['\ufe0f'], ['ﷺ ㍿']] },
    )
  })

  it('is found by itself, as it stands and in other separators', () => {
    // Single letters in a row are an abbreviation where dots are between them.
    const long = word.filter((text) => text.length > 1)
    const plain = fc.array(fc.oneof(long, fc.constantFrom(...RELEASE)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(plain, fc.constantFrom(' ', '.', '_', ' - '), fc.constantFrom(' ', '.', '_'), (words, one, two) => {
        assertFound(words.join(one), words.join(two))
      }),
      { numRuns: 500 },
    )
  })

  it('is found joined and split where an apostrophe, a hyphen or a mark that nobody sees is in a word', () => {
    // Words of releases have rules of their own.
    const isPlain = (text: string) => flagsOf(text) === 0
    const letters = textOf([...'bcdefghklmnoprstuvwz'], 2, 5).filter(isPlain)
    const joint = fc.constantFrom("'", '’', '-', '‑', '·', '/', '\u00ad', '\u200b', '\u200c')
    fc.assert(
      fc.property(letters, joint, letters, letters, (first, between, second, other) => {
        const [title, apart, one] = [
          `${first}${between}${second} ${other}`,
          `${first} ${second} ${other}`,
          `${first}${second} ${other}`,
        ]
        for (const text of [title, apart, one, `${first}-${second}`, `${first}’${second}`]) assertFound(title, text)
        for (const text of [`${first}-${second}`, `${first}'${second}`])
          for (const other of [apart, one]) assertFound(other, text)
      }),
      { numRuns: 500 },
    )
  })
})
