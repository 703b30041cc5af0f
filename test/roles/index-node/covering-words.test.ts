import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseQuery } from '../../../src/projections/keyword-index/index.ts'
import { coveringWords, wordsOf } from '../../../src/roles/index-node/covering-words.ts'

const cover = (text: string, known: Record<string, number> = {}): string[] =>
  coveringWords(parseQuery(text), (word) => (Object.hasOwn(known, word) ? known[word] : undefined)).sort()

describe('the words that decide who is asked', () => {
  it('are one word of those that must all be there: the rarest that is known, else the longest', () => {
    assert.deepEqual(cover('big bunny'), ['bunny'])
    assert.deepEqual(cover('big bunny', { bunny: 500, big: 3 }), ['big'])
    assert.deepEqual(cover('buck bunny', { bunny: 500 }), ['buck'], 'of which nothing is known')
    assert.deepEqual(cover('bunny bunnies', { bunny: 3, bunnies: 3 }), ['bunnies'])
  })

  it('are one for each alternative, and two rather than a common one', () => {
    assert.deepEqual(cover('bunny | rabbit'), ['bunny', 'rabbit'])
    assert.deepEqual(cover('(bunny | rabbit) film'), ['film'])
    assert.deepEqual(cover('(bunny | rabbit) film', { film: 10_000 }), ['bunny', 'rabbit'])
    assert.deepEqual(cover('(bunny | rabbit) film', { film: 9_999 }), ['film'])
    assert.deepEqual(cover('(bunny | rabbit) the'), ['bunny', 'rabbit'], 'as short as it is it will be common')
    assert.deepEqual(cover('(bunny | rabbit) the', { the: 5 }), ['the'], 'unless it is known to be rare')
    assert.deepEqual(cover('(bunny | rabbit) film', { film: 10_000, rabbit: 20_000 }), ['film'])
  })

  it('are none where a beginning is in the way, and another clause where there is one', () => {
    assert.deepEqual(cover('bun*'), [])
    assert.deepEqual(cover('bun* | rabbit'), [])
    assert.deepEqual(cover('bun* film'), ['film'])
    assert.deepEqual(cover('size:>1'), [])
  })

  it('are, of a phrase, the rarest of its whole words', () => {
    assert.deepEqual(cover('"big buck bunny"'), ['bunny'])
    assert.deepEqual(cover('"big buck bunny"', { bunny: 9, buck: 8, big: 7 }), ['big'])
  })

  it('are among the words that titles are to have, each once, and cover every alternative of some clause', () => {
    assert.deepEqual(wordsOf(parseQuery('big bunny big -fish bun*')).sort(), ['big', 'bunny'])
    const word = fc.constantFrom('big', 'buck', 'bunny', 'the', 'film', 'rabbit')
    const clause = fc.array(word, { minLength: 1, maxLength: 3 })
    const known = fc.dictionary(word, fc.constantFrom(0, 1, 9_999, 10_000, 50_000))
    fc.assert(
      fc.property(fc.array(clause, { minLength: 1, maxLength: 4 }), known, (clauses, frequencies) => {
        const query = parseQuery(clauses.map((words) => `(${words.join(' | ')})`).join(' '))
        const words = coveringWords(query, (each) => (Object.hasOwn(frequencies, each) ? frequencies[each] : undefined))
        assert.ok(words.every((each) => wordsOf(query).includes(each)))
        assert.equal(new Set(words).size, words.length)
        assert.ok(clauses.some((each) => new Set(each).size === words.length && each.every((one) => words.includes(one))))
      }),
      { numRuns: 200 },
    )
  })
})
