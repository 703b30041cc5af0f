import assert from 'node:assert/strict'
import { episodeNameOf, flagsOf } from '../../../../src/projections/keyword-index/text/aliases.ts'
import { keywordsOf, parseQuery } from '../../../../src/projections/keyword-index/text/index.ts'

describe('the name of an episode', () => {
  const TABLE: readonly [word: string, season: number, ...episodes: number[]][] = [
    ['s01e05', 1, 5],
    ['s1e5', 1, 5],
    ['1x05', 1, 5],
    ['12x105', 12, 105],
    ['1x05x06', 1, 5, 6],
    ['s01', 1],
    ['s2024e01', 2024, 1],
    ['s01e0105', 1, 105],
    ['e05', -1, 5],
    ['ep5', -1, 5],
    ['e05e06', -1, 5, 6],
    ['s01e01e02e03e04e05e06e07e08', 1, 1, 2, 3, 4, 5, 6, 7, 8],
  ]
  for (const [word, season, ...episodes] of TABLE) {
    it(`is read from ${word}`, () => {
      assert.deepEqual(episodeNameOf(word), { season, episodes })
    })
  }

  it('is in no other word', () => {
    const words = [
      's',
      'e',
      'x',
      'se05',
      's01e',
      's01x05',
      '1x5',
      '1x',
      '16x9',
      '1920x1080',
      '123x05',
      '1080p',
      'ep',
      'ep5a',
      'e5a',
      'sea',
    ]
    const more = ['s12345', 's01e12345', 's01e01e02e03e04e05e06e07e08e09', 'es05', '0x', '1e05', 'e', 's0x', 'x264']
    for (const word of [...words, ...more]) assert.equal(episodeNameOf(word), undefined, word)
  })

  it('stands for ranges of 32 members, and of no more', () => {
    assert.equal(keywordsOf('S01E01-E33').includes('s01e17'), true)
    assert.equal(keywordsOf('S01E01-E34').includes('s01e17'), false)
    assert.equal(keywordsOf('S01E01-33').includes('s01e17'), true)
    assert.equal(keywordsOf('S01E01-34').includes('s01e17'), false)
    assert.deepEqual(
      ['s01e33', 's01e34'].map((word) => keywordsOf(`S01E01-${word.slice(4)}`).includes(word)),
      [true, false],
    )
    assert.equal(keywordsOf('S01-S33').includes('s17'), true)
    assert.equal(keywordsOf('S01-S34').includes('s17'), false)
  })
})

describe('words of the tables', () => {
  it('are told from others of the same beginning and length', () => {
    assert.deepEqual(
      ['season', 'sezon', 'сезон'].map((word) => flagsOf(word) > 0),
      [true, true, true],
    )
    assert.deepEqual(['', 's', 'seasin', 'сезан', 'x'.repeat(20)].map(flagsOf), [0, 0, 0, 0, 0])
  })
})

describe('ways to write one phrase', () => {
  it('are eight at most', () => {
    const ways = (text: string) => parseQuery(`"${text}"`).clauses[0]?.length
    assert.equal(ways('ab-cd'), 2)
    assert.equal(ways('ab-cd ef-gh ij-kl'), 8)
    assert.equal(ways('ab-cd ef-gh ij-kl mn-op'), 8)
  })
})
