import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keywordsOf, queryTokens, titleTokens } from '../../../src/projections/index.ts'

const asked = (text: string): string[] => queryTokens(text).map(({ word, prefix }) => (prefix ? `${word}*` : word))

describe('tokenizer', () => {
  const TITLES: readonly [title: string, words: string[], because: string][] = [
    ['The.Big_Buck-Bunny (2008)', ['the', 'big', 'buck', 'bunny', '2008'], 'anything else divides words'],
    ['Sintel 1080p x264', ['sintel', '1080p', 'x264'], 'release tokens stay whole'],
    ['Show S01E05', ['show', 's01e05', 's01', '1x05'], 'an episode by both its names'],
    ['Show 1x05', ['show', '1x05', 's01e05', 's01'], 'the other way round'],
    ['Film H.264', ['film', 'h', '264', 'h264'], 'a codec with a dot'],
    ["Don't Look", ['dont', 'don', 't', 'look'], 'an apostrophe joins and splits'],
    ['Don’t Look', ['dont', 'don', 't', 'look'], 'whichever apostrophe it is'],
    ['Amélie Ørsted Straße', ['amelie', 'orsted', 'strasse'], 'Latin letters lose their marks'],
    ['Ελλάδα ὁδός', ['ελλαδα', 'οδοσ'], 'and Greek ones'],
    ['Война и мир Йога', ['война', 'и', 'мир', 'йога'], 'й is a letter of its own'],
    ['ガンダム', ['ガン', 'ンダ', 'ダム', 'ム'], 'kana keep their voice, as pairs'],
    ['ｶﾞﾝﾀﾞﾑ', ['ガン', 'ンダ', 'ダム', 'ム'], 'half width kana are kana'],
    ['进击的巨人 第1季', ['进击', '击的', '的巨', '巨人', '人', '第', '1', '季'], 'Chinese in pairs'],
    ['기생충 Parasite', ['기생', '생충', '충', 'parasite'], 'Korean in pairs'],
    ['ＦＵＬＬ ＷＩＤＴＨ', ['full', 'width'], 'full width letters are letters'],
    ['!!! ---', [], 'nothing is no word'],
    ['a a a', ['a'], 'a keyword is one, however often it stands there'],
  ]
  for (const [title, words, because] of TITLES) {
    it(`takes ${JSON.stringify(title)} apart: ${because}`, () => {
      assert.deepEqual(keywordsOf(title), words)
    })
  }

  const QUERIES: readonly [query: string, words: string[]][] = [
    ['S01E05', ['s01e05']],
    ["don't", ['dont']],
    ['巨人', ['巨人']],
    ['人', ['人*']],
    ['h.264', ['h', '264']],
    ['Ünïcode', ['unicode']],
  ]
  for (const [query, words] of QUERIES) {
    it(`asks for ${words.join(', ')} when ${JSON.stringify(query)} is typed`, () => {
      assert.deepEqual(asked(query), words)
    })
  }

  it('numbers words by their place, aliases by that of their word', () => {
    assert.deepEqual(
      titleTokens('A S01E05 B').map(({ word, position }) => [word, position]),
      [
        ['a', 0],
        ['s01e05', 1],
        ['s01', 1],
        ['1x05', 1],
        ['b', 2],
      ],
    )
  })

  it('finds every word of a title in that title, whatever the title is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."aB1 .'’éй進ガ가") }),
    )
    fc.assert(
      fc.property(text, (title) => {
        const keywords = keywordsOf(title)
        for (const { word, prefix } of queryTokens(title)) {
          assert.ok(prefix ? keywords.some((keyword) => keyword.startsWith(word)) : keywords.includes(word), word)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives words that are words again: lower case, short, without a space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (title) => {
        for (const word of keywordsOf(title)) assert.match(word, /^[\p{L}\p{N}\p{M}ー]{1,64}$/u)
      }),
      { examples: [['ʼ'], ['ʼa'], ['aʼʼb']] },
    )
  })

  it('cuts words after 64 characters, in titles as in queries', () => {
    for (const text of ['a'.repeat(65), 'é'.repeat(65), `${'a'.repeat(40)}'${'b'.repeat(40)}`]) {
      for (const word of keywordsOf(text)) assert.ok(word.length <= 64, word)
      for (const { word } of queryTokens(text)) assert.ok(word.length <= 64, word)
    }
    assert.deepEqual(keywordsOf('a'.repeat(65)), ['a'.repeat(64)])
    assert.deepEqual(keywordsOf('a'.repeat(64)), ['a'.repeat(64)])
    assert.equal(queryTokens('a'.repeat(65))[0]?.word, 'a'.repeat(64))
  })
})
