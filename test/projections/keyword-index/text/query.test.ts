import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  FILTERS_MAX,
  type Filter,
  parseQuery,
  QUERY_LENGTH_MAX,
  type Query,
  type Term,
  WORDS_MAX,
} from '../../../../src/projections/keyword-index/text/index.ts'

const word = (text: string): Term => ({ kind: 'word', word: text })
const prefix = (text: string): Term => ({ kind: 'prefix', word: text })
const phrase = (text: string): Term => ({ kind: 'phrase', words: text.split(' ') })
const hash = (infoHash: string): Term => ({ kind: 'infohash', infoHash }) as Term
const size = (comparison: '>' | '>=' | '<' | '<=' | '=', value: number): Filter => ({ kind: 'size', comparison, value })
const seeders = (comparison: '>' | '>=' | '<' | '<=' | '=', value: number): Filter => ({ kind: 'seeders', comparison, value })
const tag = (text: string): Filter => ({ kind: 'tag', tag: text })
const not = (of: Filter): Filter => ({ kind: 'not', of })
const HASH = 'bb567785d87550bd3da0b5e1cf419a3914d77030'

describe('query language', () => {
  const TABLE: readonly [text: string, query: Partial<Query>][] = [
    ['big bunny', { clauses: [[word('big')], [word('bunny')]] }],
    ['"big buck" bunny', { clauses: [[phrase('big buck')], [word('bunny')]] }],
    ['“big buck” bunny', { clauses: [[phrase('big buck')], [word('bunny')]] }],
    ['"big', { clauses: [[word('big')]] }],
    ['"big bu*"', { clauses: [[{ kind: 'phrase', words: ['big', 'bu'], begins: true }]] }],
    ['big -buck !bunny', { clauses: [[word('big')]], without: [word('buck'), word('bunny')] }],
    ['big -"buck bunny"', { clauses: [[word('big')]], without: [phrase('buck bunny')] }],
    ['big -bu*', { clauses: [[word('big')]], without: [prefix('bu')] }],
    ['big -s01.x.e02', { clauses: [[word('big')]], without: [phrase('s01 x e02')] }],
    ['a | b c', { clauses: [[word('a'), word('b')], [word('c')]] }],
    ['a|b|c', { clauses: [[word('a'), word('b'), word('c')]] }],
    ['| a |', { clauses: [[word('a')]] }],
    ['bun*', { clauses: [[prefix('bun')]] }],
    ['big.bun*', { clauses: [[word('big')], [prefix('bun')]] }],
    ['x26*', { clauses: [[prefix('x26'), word('h264'), word('h265'), word('h266')]] }],
    ['s1*', { clauses: [[prefix('s01'), prefix('s1')]] }],
    ['spider-man', { clauses: [[phrase('spider man'), word('spiderman')]] }],
    ['"spider-man 2"', { clauses: [[phrase('spider man 2'), phrase('spiderman 2')]] }],
    [
      'daddy s',
      {
        clauses: [
          [word('daddy'), word('daddys')],
          [word('s'), word('daddys')],
        ],
      },
    ],
    ['müller', { clauses: [[word('muller'), word('mueller')]] }],
    ['1x05', { clauses: [[word('s01e05')]] }],
    ['season 1 | season 2', { clauses: [[word('s01'), word('s02')]] }],
    ['s01e05e06', { clauses: [[word('s01e05')], [word('s01e06')]] }],
    ['5.1', { clauses: [[phrase('5 1')]] }],
    ['巨人', { clauses: [[word('巨人')]] }],
    ['进击的', { clauses: [[phrase('进击 击的')]] }],
    ['人', { clauses: [[prefix('人')]] }],
    ['"x 人"', { clauses: [[{ kind: 'phrase', words: ['x', '人'], begins: true }]] }],
    ['"巨人 x"', { clauses: [[phrase('巨人 人 x')]] }],
    ['🔥', { clauses: [[word('🔥')]] }],
    ['size:>1GB', { filters: [size('>', 1e9)] }],
    ['size>1GB seeders<= 5', { filters: [size('>', 1e9), seeders('<=', 5)] }],
    ['size:> 1GB', { filters: [size('>', 1e9)] }],
    ['size:>1 GB', { filters: [size('>', 1e9)] }],
    ['size: >= 1 gb', { filters: [size('>=', 1e9)] }],
    ['size:=>1', { filters: [size('>=', 1)] }],
    ['size:<=1.5gib', { filters: [size('<=', 1.5 * 1024 ** 3)] }],
    ['size:1,5GB', { filters: [size('>=', 1.5e9)] }],
    ['size:1,500MB', { filters: [size('>=', 1.5e9)] }],
    ['size:700MB', { filters: [size('>=', 7e8)] }],
    ['size:>1 m', { clauses: [[word('m')]], filters: [size('>', 1)] }],
    ['size:1GB..2GB', { filters: [{ kind: 'all', of: [size('>=', 1e9), size('<=', 2e9)] }] }],
    ['size:1-2GB', { filters: [{ kind: 'all', of: [size('>=', 1e9), size('<=', 2e9)] }] }],
    ['-size:1GB..2GB', { filters: [not({ kind: 'all', of: [size('>=', 1e9), size('<=', 2e9)] })] }],
    ['seeders:>5', { filters: [seeders('>', 5)] }],
    ['!seeders:>5 -size:<1KB', { filters: [not(seeders('>', 5)), not(size('<', 1000))] }],
    ['category:Film tag:hd', { filters: [{ kind: 'category', tag: 'film' }, tag('hd')] }],
    ['tag:"Two  Words" x', { clauses: [[word('x')]], filters: [tag('two words')] }],
    ['tag: hd -tag:"a b', { filters: [tag('hd'), not(tag('a b'))] }],
    ['TAG:Müsik', { filters: [tag('müsik')] }],
    [
      'tag:a | tag:b | -tag:c x',
      { clauses: [[word('x')]], filters: [{ kind: 'any', of: [tag('a'), tag('b'), not(tag('c'))] }] },
    ],
    [HASH, { clauses: [[hash(HASH)]] }],
    [HASH.toUpperCase(), { clauses: [[hash(HASH)]] }],
    [`x | ${HASH} -infohash:${HASH}`, { clauses: [[word('x'), hash(HASH)]], without: [hash(HASH)] }],
    ['XNLHPBOYOVIL2PNAWXQ46QM2HEKNO4BQ', { clauses: [[hash(HASH), word('xnlhpboyovil2pnawxq46qm2hekno4bq')]] }],
    [`infohash: ${HASH}`, { clauses: [[hash(HASH)]] }],
    [`urn:btih:${HASH}`, { clauses: [[hash(HASH)]] }],
    [`  magnet:?dn=a b "c"&xt=urn:btih:${HASH}&tr=x|y`, { clauses: [[hash(HASH)]] }],
    ['foo:bar http://x', { clauses: [[word('foo')], [word('bar')], [word('http')], [word('x')]] }],
  ]
  for (const [text, expected] of TABLE) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseQuery(text), { clauses: [], without: [], filters: [], ...expected })
    })
  }

  const PROBLEMS: readonly [text: string, code: string, sentence: RegExp][] = [
    ['size:big', 'bad-filter', /^"size:big" is no size: write size:>1GB, size:<=700MB or size:1GB\.\.2GB/],
    ['x size:', 'bad-filter', /^"size:" is no size/],
    ['size:2GB..1GB', 'bad-filter', /is no size/],
    ['size:>>1', 'bad-filter', /is no size/],
    ['x size>big', 'bad-filter', /^"size>big" is no size/],
    ['-size:1XB', 'bad-filter', /^"-size:1XB" is no size/],
    ['seeders:>5GB', 'bad-filter', /is no number of seeders: write seeders:>5/],
    ['seeders:many', 'bad-filter', /is no number of seeders/],
    ['tag:', 'bad-filter', /names no tag: write tag:NAME, or tag:"TWO WORDS"/],
    ['tag:""', 'bad-filter', /names no tag/],
    ['a category: | b', 'bad-filter', /names no category: write category:movie/],
    ['a | tag:b', 'bad-filter', /a filter is no alternative to a word: say tag:one \| tag:other/],
    ['tag:b | a', 'bad-filter', /a filter is no alternative to a word/],
    ['infohash:xyz', 'bad-hash', /"infohash:xyz" names no info hash of 40 hexadecimal digits, or 32 characters of base32/],
    ['magnet:?dn=x', 'bad-hash', /names no info hash/],
    [`magnet:?xt=urn:btmh:1220${HASH}`, 'bad-hash', /names no info hash/],
    ['', 'nothing-asked', /^give at least one word to search for$/],
    ['- ! | * " ***', 'nothing-asked', /at least one word/],
    ['-a !"b c"', 'nothing-asked', /says only what to leave out/],
    ['\ud800 \u0000\u001f', 'nothing-asked', /at least one word/],
  ]
  for (const [text, code, sentence] of PROBLEMS) {
    it(`says what is wrong with ${JSON.stringify(text)}, and asks for nothing`, () => {
      const { problem, ...query } = parseQuery(text)
      assert.equal(problem?.code, code)
      assert.match(problem.sentence, sentence)
      assert.deepEqual(query, { clauses: [], without: [], filters: [] })
    })
  }

  it('shows in a sentence no more than 40 printable characters of what was typed', () => {
    const { problem } = parseQuery(`size:\u001b[2J\ud83d${'x'.repeat(100)}`)
    assert.match(problem?.sentence ?? '', /^"size: \[2J.{31}…" is no size/u)
    assert.doesNotMatch(problem?.sentence ?? '', /\p{C}/u)
  })

  it('takes any text, and asks for a bounded number of things', () => {
    const unit = fc.constantFrom(
      ...'ab1 "|-!*:><=.’人ガé',
      'size:',
      'tag:',
      'seeders:',
      'infohash:',
      'magnet:?',
      'GB',
      '..',
      '\ud800',
    )
    const texts = fc.array(unit, { maxLength: 400, size: 'max' }).map((units) => units.join(''))
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => {
        const { clauses, without, filters, problem } = parseQuery(text)
        assert.ok(clauses.length <= WORDS_MAX && filters.length <= FILTERS_MAX)
        assert.ok(without.length <= 8 * WORDS_MAX && clauses.every((terms) => terms.length > 0))
        assert.equal(problem === undefined, clauses.length + filters.length > 0)
      }),
      { numRuns: 200 },
    )
  })

  it('has 128 words, those that are left out too, and 32 filters; with one more it says so', () => {
    const many = (count: number, text: (index: number) => string) =>
      parseQuery(Array.from({ length: count }, (_, index) => text(index)).join(' '))
    assert.equal(many(128, (index) => `word${index}`).clauses.length, 128)
    assert.match(many(129, (index) => `word${index}`).problem?.sentence ?? '', /129 words, and 128 is the most: say fewer/)
    assert.equal(many(64, (index) => `a${index}b -"c${index}d`).problem, undefined)
    assert.equal(many(65, (index) => `a${index}b -c${index}d`).problem?.code, 'too-many-words')
    assert.equal(many(33, (index) => `| word${index} "two words" b*`).problem?.code, 'too-many-words')
    assert.equal(many(32, (index) => `size:>${index}`).filters.length, 32)
    assert.match(many(33, (index) => `size:>${index}`).problem?.sentence ?? '', /at most 32 filters/)
    assert.equal(many(33, (index) => `| tag:a${index}`).problem?.code, 'bad-filter')
    assert.equal(many(32, (index) => `| tag:a${index}`).problem, undefined)
    assert.deepEqual([WORDS_MAX, FILTERS_MAX], [128, 32])
  })

  it('is read up to 4,096 characters, and not beyond, whatever it is made of', () => {
    assert.equal(parseQuery('ab '.repeat(QUERY_LENGTH_MAX / 3).padEnd(4096)).problem?.code, 'too-many-words')
    assert.equal(parseQuery(' '.repeat(4092).concat('word')).clauses.length, 1)
    assert.equal(parseQuery(' '.repeat(4093).concat('word')).problem?.code, 'too-long')
    for (const unit of [
      'a ',
      '|',
      '-',
      '"',
      '*',
      '!a ',
      'a-',
      '巨',
      'size:',
      'tag:a|',
      '"a" ',
      '\ud800',
      '\u0000',
      'x'.repeat(9),
      '8½',
    ]) {
      const [long, longer] = [unit.repeat(4096 / unit.length), unit.repeat(1_000_000 / unit.length)]
      assert.equal(parseQuery(longer).problem?.code, 'too-long')
      const { clauses } = parseQuery(long)
      assert.ok(clauses.length <= WORDS_MAX)
    }
  })
})
