import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fold, hasUmlaut, SOFT_JOINT, spellings } from '../../../../src/projections/keyword-index/text/fold.ts'

describe('letters as they are indexed', () => {
  const TABLE: readonly [what: string, ...pairs: [text: string, folded: string][]][] = [
    ['without case', ['ABC xyz', 'abc xyz'], ['ÇA', 'ca'], ['ДА', 'да'], ['ΑΒΓ', 'αβγ'], ['ＡＢ１', 'ab1']],
    [
      'without marks, of Latin and Greek',
      ['éèêñçšž', 'eeencsz'],
      ['e\u0301', 'e'],
      ['ά ὁ ᾳ', 'α ο α'],
      ['ệ', 'e'],
      ['n\u0303', 'n'],
    ],
    ['without the marks of Cyrillic, but for й', ['Ё ё', 'е е'], ['ѐ ѝ', 'е и'], ['за\u0301мок', 'замок'], ['Й й', 'й й']],
    ['without the points of Hebrew and Arabic', ['שָׁלוֹם', 'שלום'], ['القُرْآن', 'القران'], ['أ إ آ', 'ا ا ا'], ['ؤ ئ', 'و ي']],
    [
      'one for several, of Arabic, Persian and Urdu',
      ['ی ى ے', 'ي ي ي'],
      ['ک', 'ك'],
      ['ة ہ ھ ە', 'ه ه ه ه'],
      ['ٱ', 'ا'],
      ['مـــن', 'من'],
    ],
    [
      'taken apart where no form does it',
      ['ß æ œ', 'ss ae oe'],
      ['đ ð þ ł', 'd d th l'],
      ['ħ ı ŧ ŋ ĸ', 'h i t n k'],
      ['ς', 'σ'],
    ],
    ['with the umlauts that have two ways', ['Ä ö Ü', 'ä ö ü'], ['Å Ø', 'å ø'], ['a\u0308', 'ä'], ['A\u030a', 'å']],
    [
      'with digits of one kind',
      ['٠١٢٣٤٥٦٧٨٩', '0123456789'],
      ['۰۹', '09'],
      ['०९', '09'],
      ['๐๙', '09'],
      ['၀၉', '09'],
      ['߀߉', '09'],
      ['០៩', '09'],
    ],
    ['without the dots of India that many leave out', ['क़ ज़', 'क ज'], ['ড়', 'ড'], ['कि', 'कि']],
    ['with the voice of kana', ['ｶﾞ', 'ガ'], ['が', 'が'], ['カ゛'.slice(0, 1), 'カ']],
    [
      'without what nobody sees',
      ['a\ufe0fb', 'ab'],
      ['a\u200eb', 'ab'],
      ['a\u2060b', `a${SOFT_JOINT}b`],
      ['a\u200bb', `a${SOFT_JOINT}b`],
    ],
    [
      'divided once where several soft joints are',
      [`a${SOFT_JOINT}b`, `a${SOFT_JOINT}b`],
      ['a\u200b\u200c\ufeffb', `a${SOFT_JOINT}b`],
    ],
    [
      'with signs as letters that stand apart',
      ['x²', `x${SOFT_JOINT}2${SOFT_JOINT}`],
      ['①', `${SOFT_JOINT}1${SOFT_JOINT}`],
      ['№5', `${SOFT_JOINT}no${SOFT_JOINT}5`],
      ['a→b', 'a→b'],
    ],
    ['without trade marks, and fractions apart', ['A™B', 'a b'], ['a®', 'a '], ['8½', '8 1⁄2 ']],
    ['with half a character as none', ['a\ud83db', 'a\ufffdb']],
  ]
  for (const [what, ...pairs] of TABLE) {
    it(`are ${what}`, () => {
      for (const [text, folded] of pairs) assert.equal(fold(text), folded, text)
    })
  }

  it('are, of Latin ones, the same in every normalization form, and folded stay as they are', () => {
    const unit = fc.oneof(
      fc.integer({ min: 0xc0, max: 0x24f }),
      fc.integer({ min: 0x1e00, max: 0x1eff }),
      fc.integer({ min: 0x300, max: 0x36f }),
      fc.integer({ min: 0x61, max: 0x7a }),
    )
    const texts = fc.array(unit, { maxLength: 30, size: 'max' }).map((units) => String.fromCharCode(...units))
    fc.assert(
      fc.property(texts, (text) => {
        const folded = fold(text)
        assert.equal(fold(folded), folded)
        for (const form of ['NFC', 'NFD'] as const) assert.equal(fold(text.normalize(form)), folded)
      }),
      { numRuns: 200 },
    )
  })

  it('of a plain text are only without case', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (text) => fold(text) === text.toLowerCase()))
  })
})

describe('the spellings of umlauts', () => {
  it('are without the dots, and with an e; of other words the word itself', () => {
    assert.deepEqual(spellings('müller'), ['muller', 'mueller'])
    assert.deepEqual(spellings('åäöøü'), ['aaoou', 'aaaeoeoeue'])
    assert.deepEqual(spellings('plain'), ['plain', 'plain'])
    assert.deepEqual(['müller', 'å', 'plain', 'é', ''].map(hasUmlaut), [true, true, false, false, false])
  })
})
