import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BlockCache } from '../../../../src/projections/keyword-index/segments/block-cache.ts'
import { compareEntries, type Entry } from '../../../../src/projections/keyword-index/segments/entries.ts'
import { beginningsOf, Memtable, PREFIX_POSTINGS_MAX } from '../../../../src/projections/keyword-index/segments/memtable.ts'
import { mergeSegments } from '../../../../src/projections/keyword-index/segments/merge-segments.ts'
import { allPlaces, END, HEAD_POSTINGS, ROW_POSTINGS } from '../../../../src/projections/keyword-index/segments/postings.ts'
import { Segment, type SegmentMark } from '../../../../src/projections/keyword-index/segments/segment.ts'
import { SegmentWriter } from '../../../../src/projections/keyword-index/segments/segment-writer.ts'
import { writeMemtable } from '../../../../src/projections/keyword-index/segments/write-memtable.ts'
import { MemoryTable } from '../../../../src/projections/row-table.memory.ts'

type Listed = Entry & { readonly words: readonly string[] }

const NONE = (_serial: number): boolean => false

function made(table: MemoryTable, writer: SegmentWriter, steps: Generator<void, SegmentMark>): Segment {
  for (;;) {
    const { value, done } = steps.next()
    for (const [key, row] of writer.takeRows()) table.put(key, row)
    if (done === true) return new Segment(value, table, new BlockCache(1 << 20))
  }
}

function segmentOf(listed: readonly Listed[], number = 1, table = new MemoryTable(1), isDead = NONE): Segment {
  const memtable = new Memtable()
  for (const entry of listed) memtable.enter(entry)
  const writer = new SegmentWriter(number)
  return made(table, writer, writeMemtable(memtable, isDead, writer))
}

function merged(segments: readonly Segment[], table: MemoryTable, isDead = NONE): Segment {
  const writer = new SegmentWriter(99)
  return made(table, writer, mergeSegments(segments, isDead, writer))
}

const placesOf = (segment: Segment, word: string): number[] => {
  const list = segment.list('w', word)
  return list === undefined ? [] : [...allPlaces(list, segment.loadRow)].flatMap((places) => [...places])
}

/** All that can be read of a segment, by documents instead of places. */
const contents = (segment: Segment) => ({
  entries: Array.from({ length: segment.mark.entries }, (_, place) => segment.entry(place)),
  words: [...segment.terms('w')].map(({ term, count }) => [term, count, placesOf(segment, term)]),
  prefixes: [...segment.lists('e')].map(({ term, list }) => [term, [...list.head]]),
})

const WORDS = ['a', 'ab', 'abc', 'abcdefg', 'b', 'ba', 'zebra', '巨人', '巨', '\u{1f600}x', 'ﬀ'] as const
const documents: fc.Arbitrary<Listed[]> = fc
  .array(fc.tuple(fc.nat(3), fc.uniqueArray(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5, size: 'max' })), {
    maxLength: 40,
    size: 'max',
  })
  .map((all) => all.map(([rank, words], at) => ({ ordinal: at, serial: at + 1, author: at % 3, rank, words })))

describe('a segment', () => {
  it('has its documents by rank, and of each word and beginning those that have it', () => {
    fc.assert(
      fc.property(documents, (listed) => {
        const segment = segmentOf(listed)
        const ranked = [...listed].sort(compareEntries)
        assert.deepEqual(
          contents(segment).entries,
          ranked.map(({ words: _, ...entry }) => entry),
        )
        const have = (test: (word: string) => boolean): number[] =>
          ranked.flatMap(({ words }, place) => (words.some(test) ? [place] : []))
        for (const word of WORDS) {
          const places = have((other) => other === word)
          assert.deepEqual(placesOf(segment, word), places, word)
          assert.equal(segment.count(word), places.length)
          for (const prefix of beginningsOf(word)) {
            assert.deepEqual(
              [...(segment.list('e', prefix)?.head ?? [])],
              have((other) => other.startsWith(prefix)),
              prefix,
            )
            assert.deepEqual(
              [...segment.terms('w', prefix)].map(({ term }) => term),
              WORDS.filter((other) => other.startsWith(prefix) && listed.some(({ words }) => words.includes(other))).sort(),
            )
          }
        }
        assert.equal(segment.list('w', 'absent'), undefined)
        assert.equal(segment.list('e', 'q'), undefined)
        assert.equal(segment.mark.words, new Set(listed.flatMap(({ words }) => words)).size)
      }),
      { numRuns: 100 },
    )
  })

  it('merged of several is as if all had been written at once, without what no longer holds', () => {
    const cut = fc.array(fc.nat(), { minLength: 1, maxLength: 4, size: 'max' })
    fc.assert(
      fc.property(documents, cut, fc.nat(5), (listed, cuts, gone) => {
        const table = new MemoryTable(1)
        const ends = [...cuts.map((at) => at % (listed.length + 1)), listed.length].sort((a, b) => a - b)
        const parts = ends.map((end, index) => listed.slice(ends[index - 1] ?? 0, end))
        const isDead = (serial: number): boolean => serial % 6 === gone
        const segments = parts.map((part, index) => segmentOf(part, index + 1, table))
        const one = segmentOf(
          listed.filter(({ serial }) => !isDead(serial)),
          50,
        )
        assert.deepEqual(contents(merged(segments, table, isDead)), contents(one))
      }),
      { numRuns: 100 },
    )
  })

  it('seeks in lists of every length around the ends of their rows', () => {
    const long = HEAD_POSTINGS + 2 * ROW_POSTINGS
    // Written in several steps, with rows taken in between.
    const longest = HEAD_POSTINGS + 40 * ROW_POSTINGS
    for (const count of [
      1,
      HEAD_POSTINGS - 1,
      HEAD_POSTINGS,
      HEAD_POSTINGS + 1,
      HEAD_POSTINGS + ROW_POSTINGS,
      long,
      long + 1,
    ]) {
      // Every third document has it.
      const listed = Array.from({ length: 3 * count }, (_, at) => ({
        ...{ ordinal: at, serial: at + 1, author: 0, rank: 0 },
        words: at % 3 === 1 ? ['often', 'zebra'] : ['other'],
      }))
      const segment = segmentOf(listed)
      const list = segment.list('w', 'often')
      assert.ok(list)
      assert.equal(list.count, count)
      assert.equal(segment.count('zebra'), count)
      for (const step of count < longest ? [1, 2, 7, 130, 1000, 3 * count] : [997]) {
        const cursor = segment.cursor(list)
        for (let place = 0; place <= 3 * count; place += step) {
          const next = place + ((4 - (place % 3)) % 3)
          assert.equal(cursor.seek(place), next < 3 * count ? next : END, `${place} of ${count} by ${step}`)
        }
        assert.equal(cursor.seek(3 * count), END)
      }
    }
  })

  it('lists the best 128 documents of a beginning, and no more', () => {
    const listed = Array.from({ length: PREFIX_POSTINGS_MAX + 1 }, (_, at) => ({
      ...{ ordinal: at, serial: at + 1, author: 0, rank: at },
      words: [`word${at}`],
    }))
    const table = new MemoryTable(1)
    const [one, two] = [segmentOf(listed.slice(0, 100), 1, table), segmentOf(listed.slice(100), 2, table)]
    for (const segment of [segmentOf(listed), merged([one, two], table)]) {
      const places = [...(segment.list('e', 'wor')?.head ?? [])]
      assert.deepEqual(
        places,
        Array.from({ length: PREFIX_POSTINGS_MAX }, (_, place) => place),
      )
      assert.equal(segment.entry(0).rank, PREFIX_POSTINGS_MAX)
    }
  })

  it('says that it is damaged where a row of it is gone', async () => {
    const table = new MemoryTable(1)
    const listed = Array.from({ length: 2000 }, (_, at) => ({
      ...{ ordinal: at, serial: at + 1, author: 0, rank: 0 },
      words: ['often', `once${at}`],
    }))
    const segment = segmentOf(listed, 1, table)
    await table.commit(1)
    await table.clear('', '\xff')
    const reread = new Segment(segment.mark, table, new BlockCache(1 << 20))
    assert.throws(() => reread.entry(0), { code: 'STORE_DAMAGED' })
    assert.throws(() => reread.list('w', 'often'), { code: 'STORE_DAMAGED' })
  })
})
