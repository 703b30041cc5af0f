import assert from 'node:assert/strict'
import {
  hasPhrase,
  parseQuery,
  type Query,
  titleFit,
  titlesMatch,
} from '../../../../src/projections/keyword-index/text/index.ts'

const HASH = '0f'.repeat(20)

describe('a phrase', () => {
  const has = (title: string, text: string) => hasPhrase(title, { words: text.split(' ') })
  it('is words in a row, each from where the one before ends', () => {
    assert.deepEqual([has('Big Buck Bunny', 'buck bunny'), has('Big Buck Bunny', 'big bunny')], [true, false])
    assert.deepEqual(
      [has('The Spider-Man Two', 'the spiderman two'), has('The Spider-Man Two', 'spider man two')],
      [true, true],
    )
    assert.deepEqual([has('Show S01 E05 720p', 's01e05 720p'), has('Show S01 E05 720p', 's01 720p')], [true, false])
    assert.equal(has('a b a b c', 'a b c'), true)
    assert.equal(has('x', ''), false)
  })

  it('covers what it stands on, and of rows that end together the longest counts', () => {
    const fitFor = (...clauses: Query['clauses']) => titleFit('Spider-Man Two', { clauses })
    const word = (text: string) => ({ kind: 'word', word: text }) as const
    // The joined word stands for two pieces of three.
    assert.equal(fitFor([word('spiderman')]), 850 + 67)
    assert.equal(fitFor([word('man'), word('spiderman')]), 850 + 33, 'the first that is found says how much')
    assert.equal(fitFor([word('man'), word('spiderman')], [word('two')]), 1000)
    assert.equal(fitFor([{ kind: 'prefix', word: 'spi' }], [word('two')]), 1000)
    assert.equal(fitFor([{ kind: 'phrase', words: ['spider', 'man'] }], [word('two')]), 1000)
    assert.equal(fitFor([{ kind: 'prefix', word: 'tw' }]), 750 + 33)
    assert.equal(fitFor([{ kind: 'phrase', words: ['man', 'tw'], begins: true }]), 750 + 67)
    assert.equal(fitFor([{ kind: 'infohash', infoHash: HASH as never }]), 0)
    assert.equal(fitFor([word('none')], [word('spider')]), 250 + 67)
    assert.equal(fitFor([word('spider')], [word('none')], [word('two')]), 333 + 134)
  })

  it('may end with the beginning of a word', () => {
    assert.equal(hasPhrase('Big Buck Bunny', { words: ['buck', 'bun'], begins: true }), true)
    assert.equal(hasPhrase('Big Buck Bunny', { words: ['bu', 'bunny'], begins: true }), false)
    assert.equal(hasPhrase('Big Buck Bunny', { words: ['buck', 'bun'] }), false)
  })

  it('is looked for in bounded time in a title that says one word over and over', () => {
    assert.equal(hasPhrase('a '.repeat(768), { words: Array.from({ length: 128 }, () => 'a').concat('b') }), false)
  })
})

describe('titles', () => {
  it('match by words of all of them, phrases of one, and the info hash', () => {
    const match = (text: string, ...titles: string[]) => titlesMatch(parseQuery(text), titles, HASH)
    assert.equal(match('big bunny', 'Big', 'Bunny'), true)
    assert.equal(match('"big bunny"', 'Big', 'Bunny'), false)
    assert.equal(match('bun*', 'Big', 'Bunny'), true)
    assert.deepEqual([match(HASH, 'Big'), match('f0'.repeat(20), 'Big'), match(`big -${HASH}`, 'Big')], [true, false, false])
    assert.equal(match(`small | ${HASH}`, 'Big'), true)
    assert.deepEqual([match('"big bunny"', 'Fish', 'Big Bunny'), match('big -"big bunny"', 'Fish', 'Big Bunny')], [true, false])
    assert.deepEqual([match('fish -bun*', 'Fish', 'Bunny'), match('fish -buck', 'Fish', 'Bunny')], [false, true])
    assert.deepEqual([match('big fish', 'Big'), match('big fish', 'Big', 'Fish'), match('fi', 'Fish')], [false, true, false])
    assert.deepEqual([match('big', 'Fish'), match('big | fish', 'Fish'), match('big')], [false, true, false])
  })

  it('match no query that cannot be meant', () => {
    assert.equal(titlesMatch(parseQuery('big size:big'), ['big'], HASH), false)
    assert.equal(titlesMatch(parseQuery(''), ['big'], HASH), false)
  })

  it('fit from 0 to 1000: whole, from the beginning, in a row, scattered, in part', () => {
    const fitOf = (title: string, text: string) => titleFit(title, parseQuery(text))
    assert.equal(fitOf('Big Buck Bunny', 'big buck bunny'), 1000)
    assert.equal(fitOf('Spider-Man', 'spiderman'), 1000)
    assert.equal(fitOf('Spiderman', 'spider-man'), 1000)
    assert.equal(fitOf('Dark Harbor Season 1 Episode 5', 'dark harbor 1x05'), 1000)
    assert.equal(fitOf('Big Buck Bunny', 'big'), 850 + 33)
    assert.equal(fitOf('Big Buck Bunny', 'buck bunny'), 750 + 67)
    assert.equal(fitOf('Big Buck Bunny', 'bunny big'), 500 + 133)
    assert.equal(fitOf('Big Buck Bunny', 'bunny fish'), 250 + 67)
    assert.equal(fitOf('Big Buck Bunny', 'fish'), 0)
    assert.equal(fitOf('Big Buck Bunny', 'size:>1'), 0)
    assert.equal(fitOf('', 'fish'), 0)
    assert.equal(fitOf('Big Big Bunny', 'big bunny'), 850 - 100 + 67)
  })
})
