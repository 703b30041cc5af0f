import assert from 'node:assert/strict'
import {
  audioCodecOf,
  BEGINS_PAIR,
  CODECS,
  COMES_AFTER,
  episodeNameOf,
  episodeWord,
  flagsOf,
  IS_CODEC,
  IS_DOT_NAME,
  IS_EPISODE,
  IS_RELEASE,
  IS_SEASON,
  IS_TAIL,
  isPair,
  seasonWord,
} from '../../../../src/projections/keyword-index/text/aliases.ts'
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

  it('are known for all that they can be', () => {
    for (const [word, flags] of [
      ['season', IS_SEASON],
      ['kausi', IS_SEASON],
      ['staffel', IS_SEASON | COMES_AFTER],
      ['сезон', IS_SEASON | COMES_AFTER],
      ['ep', IS_EPISODE],
      ['aflevering', IS_EPISODE],
      ['folge', IS_EPISODE | COMES_AFTER],
      ['серия', IS_EPISODE | COMES_AFTER],
      ['web', BEGINS_PAIR | IS_RELEASE],
      ['blu', BEGINS_PAIR],
      ['dts', BEGINS_PAIR | IS_RELEASE],
      ['ray', 0],
      ['ll', IS_TAIL],
      ['ve', IS_TAIL],
      ['pdf', IS_RELEASE],
      ['js', IS_DOT_NAME],
      ['fm', IS_DOT_NAME],
      ['x264', IS_CODEC],
      ['hevc', IS_CODEC | IS_RELEASE],
      ['h265', IS_CODEC | IS_RELEASE],
    ] as const)
      assert.equal(flagsOf(word), flags, word)
  })

  it('of codecs have one name each', () => {
    for (const [name, ...others] of [
      ['h264', 'x264', 'avc'],
      ['h265', 'x265', 'hevc'],
      ['h266', 'x266', 'vvc'],
    ] as const)
      for (const word of [name, ...others]) assert.equal(CODECS.get(word), name)
    assert.equal(CODECS.size, 9)
  })

  it('are pairs in their order alone', () => {
    assert.deepEqual(
      [isPair('web', 'dl'), isPair('dl', 'web'), isPair('web', 'ray'), isPair('webdl', '')],
      [true, false, false, false],
    )
    assert.ok(isPair('dts', 'hd'))
  })
})

describe('an audio codec with its channels', () => {
  it('is told from other words that end with a digit', () => {
    for (const [word, codec] of [
      ['ddp5', 'ddp'],
      ['dd1', 'dd'],
      ['aac9', 'aac'],
      ['truehd7', 'truehd'],
      ['truehd77', undefined],
      ['dtshd7', 'dtshd'],
      ['ma5', 'ma'],
      ['aac0', undefined],
      ['aac', undefined],
      ['5', undefined],
      ['film2', undefined],
      ['', undefined],
    ] as const)
      assert.equal(audioCodecOf(word), codec, word)
  })
})

describe('words of seasons and episodes', () => {
  it('have two digits at least, and are read as what they were made of', () => {
    assert.deepEqual(
      [seasonWord(1), seasonWord(10), episodeWord(1, 9), episodeWord(-1, 10), episodeWord(0, 105)],
      [...['s01', 's10', 's01e09', 'e10'], 's00e105'],
    )
    for (const season of [-1, 0, 1, 9, 10, 2024])
      for (const episode of [0, 9, 10, 105])
        assert.deepEqual(episodeNameOf(episodeWord(season, episode)), { season, episodes: [episode] })
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
