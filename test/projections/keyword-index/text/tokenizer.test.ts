import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keywordsOf, titleTokens, WORD_LENGTH_MAX } from '../../../../src/projections/keyword-index/text/index.ts'

describe('tokenizer', () => {
  const TITLES: readonly [title: string, words: string[], because: string][] = [
    ['The.Big_Buck-Bunny (2008)', ['the', 'big', 'buck', 'bunny', 'buckbunny', '2008'], 'anything else divides words'],
    ['Sintel 1080p x264', ['sintel', '1080p', 'h264'], 'release tokens stay whole, and a codec has one name'],
    ['Show S01E05', ['show', 's01', 'e05', 's01e05'], 'an episode, its season and its number'],
    ['Show 1x05', ['show', 's01', 'e05', 's01e05'], 'by one name, however it is written'],
    ['Show S1E5', ['show', 's01', 'e05', 's01e05'], 'with or without noughts'],
    ['Show S01 E05', ['show', 's01', 'e05', 's01e05'], 'or apart'],
    ['Show Season 1', ['show', 'season', 's01', '1'], 'or in words'],
    ['S01E05E06', ['s01', 'e05', 's01e05', 'e06', 's01e06'], 'two episodes are both'],
    ['S01E05-E07', ['s01', 'e05', 's01e05', 'e06', 's01e06', 'e07', 's01e07'], 'a range is all in it'],
    ['S01E05-07', ['s01', 'e05', 's01e05', 'e06', 's01e06', 's01e07', '07'], 'with its last number alone too'],
    ['S01-S03', ['s01', 's02', 's03'], 'of seasons as well'],
    ['S01-S34', ['s01', 's34'], 'unless it has more members than a range has'],
    ['S01E01-E34', ['s01', 'e01', 's01e01', 'e34', 's01e34'], 'of episodes too'],
    ['S01E05 & E06', ['s01', 'e05', 's01e05', 'and', 'e06', 's01e06'], 'two of them with a word between'],
    ['S2 - 05 - 1080', ['s02', 'e05', 's02e05', '05', '1080'], 'the way that anime is named'],
    ['S2 - 2005', ['s02', '2005'], 'which a year is not'],
    ['S01E05-03', ['s01', 'e05', 's01e05', '03'], 'or goes down'],
    ['1920x1080 16x9', ['1920x1080', '16x9'], 'what looks like an episode and is none'],
    ['Film H.264', ['film', 'h', 'h264', '264'], 'a codec with a dot'],
    ['WEB-DL', ['web', 'dl', 'webdl'], 'two words that are often one'],
    ['x264-GRP', ['h264', 'grp'], 'a group that stands after a hyphen'],
    ['DDP5.1', ['ddp', '5', '1', 'ddp5'], 'a codec and its channels'],
    ["Don't Look", ['don', 't', 'dont', 'look'], 'an apostrophe joins and splits'],
    ['Don’t Look', ['don', 't', 'dont', 'look'], 'whichever apostrophe it is'],
    ['Daddy s', ['daddy', 's', 'daddys'], 'or none'],
    ['X Men', ['x', 'men', 'xmen'], 'a letter before a word'],
    ['A Star', ['a', 'star'], 'unless it is a word of its own'],
    ['R.E.M.', ['r', 'e', 'm', 'rem', 're'], 'an abbreviation is a word'],
    ['War & Peace', ['war', 'and', 'peace'], 'a sign for a word'],
    ['9-1-1 24/7', ['9', '1', '911', '24', '7', '247'], 'three digits that hyphens or slashes divide'],
    ['7-Zip 10-bit 10 bit 1 2', ['7', 'zip', '7zip', '10', 'bit', '10bit', '1', '2'], 'what a number is of'],
    ['12,000', ['12', '000', '12000'], 'groups of digits'],
    ['v1.2.3', ['1', 'v1', '2', '3'], 'a version with its letter and without'],
    ['C C++ C# F# .NET', ['c', 'c++', 'c#', 'f#', '.net'], 'languages that differ by signs'],
    ['Surf the.net', ['surf', 'the', 'net', 'thenet'], 'which a dot alone does not make'],
    ['Amélie Straße', ['amelie', 'strasse'], 'Latin letters lose their marks'],
    ['Müller Ørsted Århus', ['muller', 'mueller', 'orsted', 'oersted', 'arhus', 'aarhus'], 'umlauts are written two ways'],
    ['Ελλάδα ὁδός', ['ελλαδα', 'οδοσ'], 'and Greek ones lose theirs'],
    ['Война и мир Йога Ёж', ['война', 'и', 'мир', 'йога', 'еж'], 'й is a letter of its own, ё is typed as е'],
    ['القُرْآن مـــن', ['القران', 'من'], 'Arabic without its marks'],
    ['שָׁלוֹם', ['שלום'], 'Hebrew without its marks'],
    ['٢٠٢٠', ['2020'], 'digits of other scripts'],
    ['ガンダム', ['ガン', 'ンダ', 'ダム', 'ム'], 'kana keep their voice, as pairs'],
    ['ｶﾞﾝﾀﾞﾑ', ['ガン', 'ンダ', 'ダム', 'ム'], 'half width kana are kana'],
    ['进击的巨人 第1季', ['进击', '击的', '的巨', '巨人', '人第', '第', '1', '季'], 'Chinese in pairs, over a space too'],
    ['기생충 Parasite', ['기생', '생충', '충', 'parasite'], 'Korean in pairs'],
    ['ไทย', ['ไท', 'ทย', 'ย'], 'Thai in pairs'],
    ['ＦＵＬＬ ＷＩＤＴＨ', ['full', 'width'], 'full width letters are letters'],
    ['Batman™ 8½', ['batman', '8', '1', '2'], 'signs that are no letters of the word before'],
    ['x²', ['x', '2', 'x2'], 'a raised digit, joined and apart'],
    ['می\u200cخواهم', ['مي', 'خواهم', 'ميخواهم'], 'half a space joins and splits'],
    ['a\ufe0f \ufe0f', ['a'], 'what is not seen is no word'],
    ['a\ud83db', ['a', 'b'], 'half a character divides'],
    ['🔥 Fire', ['🔥', 'fire'], 'a picture is a word'],
    ['!!! ---', [], 'nothing is no word'],
    ['ab ab ab', ['ab'], 'a keyword is one, however often it stands there'],
  ]
  for (const [title, words, because] of TITLES) {
    it(`takes ${JSON.stringify(title)} apart: ${because}`, () => {
      assert.deepEqual(keywordsOf(title).sort(), words.sort())
    })
  }

  it('numbers words by their place, and says how many pieces they stand for', () => {
    assert.deepEqual(
      titleTokens('A Spider-Man S01 E05 B').map(({ word, position, span }) => [word, position, span]),
      [
        ['a', 0, 1],
        ['spider', 1, 1],
        ['man', 2, 1],
        ['spiderman', 1, 2],
        ['s01', 3, 1],
        ['e05', 4, 1],
        ['s01e05', 3, 2],
        ['b', 5, 1],
      ],
    )
  })

  it('gives words that are words again: lower case, short, without a space', () => {
    const isWord = /^(?:[\p{L}\p{N}\p{M}ー]{1,64}(?:\+\+)?|[cf]#|\.net|[\p{Extended_Pictographic}\p{Regional_Indicator}])$/u
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200, size: 'max' }), (title) => {
        for (const word of keywordsOf(title)) assert.match(word, isWord)
      }),
      { examples: [['ʼ'], ['ʼa'], ['aʼʼb'], ['notepad++']] },
    )
  })

  it('cuts words after 64 characters, in titles as in queries, and never within one', () => {
    for (const text of ['a'.repeat(65), 'é'.repeat(65), 'ö'.repeat(65), `${'a'.repeat(40)}'${'b'.repeat(40)}`]) {
      for (const word of keywordsOf(text)) assert.ok(word.length <= 64, word)
    }
    assert.deepEqual(keywordsOf('a'.repeat(65)), ['a'.repeat(64)])
    assert.deepEqual(keywordsOf('a'.repeat(64)), ['a'.repeat(64)])
    assert.deepEqual(keywordsOf(`a${'𐐨'.repeat(40)}`), [`a${'𐐨'.repeat(31)}`])
    assert.equal(WORD_LENGTH_MAX, 64)
  })

  it('gives a title that was made to have many words 128 more than it says, and no more', () => {
    const many = Array.from({ length: 20 }, (_, at) => `S${10 + at}E01-E32`).join(' ')
    const words = keywordsOf(many)
    // Each season is an implied word, each named episode stands there; the members of five ranges or so are in it.
    assert.ok(words.length <= 128 + 20 * 4, String(words.length))
    assert.ok(words.includes('s10e31') && words.includes('s29e32') && !words.includes('s29e31'))
  })

  it('reads a title of 100,000 characters, whatever it is made of, and names no word twice', () => {
    const units = [
      'a',
      'a.',
      'a-',
      "a'",
      '1,000.',
      'S01E01-',
      '巨',
      '巨 ',
      'ไ',
      '&',
      '🔥',
      '\ud800',
      '\u0000',
      '\u200b',
      'ä',
      '½',
      'h.264 ',
      'e',
    ]
    for (const unit of units) {
      const words = keywordsOf(unit.repeat(100_000 / unit.length))
      assert.ok(words.length < 200, `${unit} gives ${words.length}`)
    }
  })
})
