import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseQuery } from '../../../src/projections/index.ts'
import { TERMS_MAX } from '../../../src/projections/keyword-index/query.ts'

const word = (text: string) => ({ kind: 'word', word: text }) as const

describe('query language', () => {
  const TABLE: readonly [text: string, query: Partial<ReturnType<typeof parseQuery>>][] = [
    ['big bunny', { clauses: [[word('big')], [word('bunny')]] }],
    ['"big buck" bunny', { clauses: [[{ kind: 'phrase', words: ['big', 'buck'] }], [word('bunny')]] }],
    ['"big', { clauses: [[word('big')]] }],
    ['big -buck !bunny', { clauses: [[word('big')]], without: [word('buck'), word('bunny')] }],
    ['big -"buck bunny"', { clauses: [[word('big')]], without: [{ kind: 'phrase', words: ['buck', 'bunny'] }] }],
    ['a | b c', { clauses: [[word('a'), word('b')], [word('c')]] }],
    ['a|b|c', { clauses: [[word('a'), word('b'), word('c')]] }],
    ['| a |', { clauses: [[word('a')]] }],
    ['bun*', { clauses: [[{ kind: 'prefix', word: 'bun' }]] }],
    ['big.bun*', { clauses: [[word('big')], [{ kind: 'prefix', word: 'bun' }]] }],
    ['size:>1GB', { filters: [{ kind: 'size', comparison: '>', value: 1e9 }] }],
    ['size:<=1.5gib', { filters: [{ kind: 'size', comparison: '<=', value: 1.5 * 1024 ** 3 }] }],
    ['size:700MB', { filters: [{ kind: 'size', comparison: '>=', value: 7e8 }] }],
    ['seeders:>5', { filters: [{ kind: 'seeders', comparison: '>', value: 5 }] }],
    [
      'category:Film tag:hd',
      {
        filters: [
          { kind: 'tag', tag: 'film' },
          { kind: 'tag', tag: 'hd' },
        ],
      },
    ],
    ['size:big seeders:>5GB', { clauses: [[word('size')], [word('big')], [word('seeders')], [word('5gb')]] }],
    ['', {}],
    ['- ! | * size: tag: "', { clauses: [[word('size')], [word('tag')]] }],
  ]
  for (const [text, expected] of TABLE) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseQuery(text), { clauses: [], without: [], filters: [], ...expected })
    })
  }

  it('takes any text, and asks for a bounded number of things', () => {
    const unit = fc.constantFrom(...'ab1 "|-!*:><=.’人ガé', 'size:', 'tag:', 'seeders:', 'GB')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 400 }), fc.string({ unit: 'binary' })), (text) => {
        const { clauses, without, filters } = parseQuery(text)
        assert.ok(clauses.flat().length <= 32 && without.length <= 32 && filters.length <= 32)
        assert.ok(clauses.every((terms) => terms.length > 0))
      }),
      { numRuns: 500 },
    )
  })

  it('has 32 terms, filters and excluded words at most', () => {
    const many = (text: (index: number) => string) =>
      parseQuery(Array.from({ length: 40 }, (_, index) => text(index)).join(' '))
    assert.equal(many((index) => `word${index}`).clauses.length, TERMS_MAX)
    assert.equal(many((index) => `size:>${index}`).filters.length, TERMS_MAX)
    assert.equal(many((index) => `-word${index}`).without.length, TERMS_MAX)
    assert.equal(many((index) => `-"two words${index}"`).without.length, TERMS_MAX)
    const alternatives = many((index) => (index === 0 ? 'word' : `| word${index}`))
    assert.equal(alternatives.clauses.flat().length, TERMS_MAX)
    assert.equal(TERMS_MAX, 32)
  })
})
