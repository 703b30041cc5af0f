import assert from 'node:assert/strict'
import { type Comparison, passes, readAmount, tagForm } from '../../../../src/projections/keyword-index/text/filters.ts'

const torrent = { title: 'Big Buck Bunny 2008 1080p', sizeBytes: 100, seeders: 3, tags: ['Science  Fiction', 'HD'] }

describe('filters of a query', () => {
  it('compare sizes and seeders, to the byte', () => {
    const cases: [Comparison, below: boolean, same: boolean, above: boolean][] = [
      ['>', true, false, false],
      ['>=', true, true, false],
      ['<', false, false, true],
      ['<=', false, true, true],
      ['=', false, true, false],
    ]
    for (const [comparison, ...expected] of cases) {
      const ask = (kind: 'size' | 'seeders', value: number): boolean => passes(torrent, { kind, comparison, value })
      assert.deepEqual(
        [99, 100, 101].map((value) => ask('size', value)),
        expected,
        `size ${comparison}`,
      )
      assert.deepEqual(
        [2, 3, 4].map((value) => ask('seeders', value)),
        expected,
        `seeders ${comparison}`,
      )
    }
  })

  it('are taken together, one for another, and the other way round', () => {
    const yes = { kind: 'size', comparison: '>', value: 1 } as const
    const no = { kind: 'size', comparison: '<', value: 1 } as const
    const asked = (kind: 'all' | 'any', ...of: (typeof yes | typeof no)[]) => passes(torrent, { kind, of })
    assert.deepEqual([asked('all', yes, yes), asked('all', yes, no), asked('all')], [true, false, true])
    assert.deepEqual([asked('any', no, yes), asked('any', no, no), asked('any')], [true, false, false])
    assert.deepEqual([passes(torrent, { kind: 'not', of: yes }), passes(torrent, { kind: 'not', of: no })], [false, true])
  })

  it('know tags whole, without case, marks and the spaces around and in them', () => {
    assert.equal(tagForm('  Sciénce \t Fiction '), 'science fiction')
    const has = (tag: string) => passes(torrent, { kind: 'tag', tag: tagForm(tag) })
    assert.deepEqual(['SCIENCE fiction', 'hd', 'science', 'h'].map(has), [true, true, false, false])
  })

  it('take the category of a title by its words where these are known, and else find them', () => {
    const asks = (tag: string, keywords?: string[]) =>
      passes({ ...torrent, ...(keywords && { keywords }) }, { kind: 'category', tag })
    assert.deepEqual([asks('film'), asks('music'), asks('nothing')], [true, false, false])
    assert.deepEqual([asks('film', ['flac']), asks('music', ['flac'])], [false, true])
  })
})

describe('an amount in a query', () => {
  const read = (text: string, kind: 'size' | 'seeders' = 'size') => readAmount(kind, text, 0)
  const amount = (text: string, kind?: 'size' | 'seeders') => {
    const { filter, end } = read(text, kind) ?? {}
    if (filter === undefined) return undefined
    assert.equal(end, text.length)
    if (filter.kind === 'all') return filter.of.map((each) => (each.kind === 'size' || each.kind === 'seeders') && each.value)
    return filter.kind === 'size' || filter.kind === 'seeders' ? `${filter.comparison}${filter.value}` : undefined
  }

  it('has a unit of a thousand or of 1,024, in any case, or none', () => {
    const table: [text: string, bytes: number][] = [
      ['5', 5],
      ['5b', 5],
      ['5k', 5e3],
      ['5KB', 5e3],
      ['5KiB', 5 * 1024],
      ['5m', 5e6],
      ['5mb', 5e6],
      ['5MiB', 5 * 1024 ** 2],
      ['5G', 5e9],
      ['5GB', 5e9],
      ['5gib', 5 * 1024 ** 3],
      ['5t', 5e12],
      ['5TB', 5e12],
      ['5TiB', 5 * 1024 ** 4],
      ['5 GB', 5e9],
      ['1.5GB', 1.5e9],
      ['1,5 GB', 1.5e9],
      ['1,500MB', 1.5e9],
      ['0,25k', 250],
    ]
    for (const [text, bytes] of table) assert.equal(amount(text), `>=${bytes}`, text)
  })

  it('has a sign, written either way, with spaces around it; without one that much at least is meant', () => {
    for (const [sign, comparison] of [
      ['', '>='],
      ['>', '>'],
      ['>=', '>='],
      ['=>', '>='],
      ['<', '<'],
      ['<=', '<='],
      ['=<', '<='],
      ['=', '='],
    ]) {
      assert.equal(amount(`${sign}7`), `${comparison}7`)
      assert.equal(amount(` ${sign} 7`), `${comparison}7`)
      assert.equal(amount(`${sign}7`, 'seeders'), `${comparison}7`)
    }
  })

  it('may be a range, in which one unit may stand for both', () => {
    for (const text of ['1-2GB', '1..2 GB', '1...2GB', '1…2GB', '1–2GB', '1GB-2GB', '1 GB - 2 GB'])
      assert.deepEqual(amount(text), [1e9, 2e9], text)
    assert.deepEqual(amount('500MB-1GB'), [5e8, 1e9])
    assert.deepEqual(amount('3-3', 'seeders'), [3, 3])
    assert.equal(read('2-1'), undefined)
    assert.equal(read('2GB-1GB'), undefined)
  })

  it('ends where the next word, a bar or a quote begins, and is none within a word', () => {
    for (const rest of [' word', '|word', '"word"', '\tword']) assert.equal(read(`5GB${rest}`)?.end, 3, rest)
    assert.equal(readAmount('size', 'size:5GB', 5)?.end, 8)
    assert.equal(readAmount('size', 'size:5GB', 4), undefined)
    for (const text of ['', 'x', '5x', '5GBx', '5 ', '>', '5kg', '1234567890123456', '5.1234567']) {
      const found = read(text)
      assert.ok(found === undefined || text === '5 ', text)
    }
    assert.deepEqual([read('5GB', 'seeders'), read('5k', 'seeders')], [undefined, undefined], 'seeders have no unit')
    // A letter after a space is a word of its own.
    assert.equal(read('5 g')?.end, 1)
    assert.equal(read('5 gbx')?.end, 1)
  })
})
