import assert from 'node:assert/strict'
import fc from 'fast-check'
import { entryOf, kindBits, SegmentDirectory, type SegmentEntry } from '../../../src/events/segments/segment-directory.ts'
import { NO_KINDS, type SegmentSummary, shareKinds } from '../../../src/events/segments/segment-summary.ts'

const [left, alive] = [kindBits(['member.left']), kindBits(['member.alive'])]
const entry = (first: number, count: number, kinds = NO_KINDS, gone = false): SegmentEntry => ({
  ...{ first, count, kinds },
  ...(gone && { gone }),
})
const directoryOf = (...entries: readonly SegmentEntry[]): SegmentDirectory => {
  const directory = new SegmentDirectory()
  for (const each of entries) directory.push(each)
  return directory
}

describe('the directory of segments', () => {
  it('finds the segment of an event, and none behind the last', () => {
    const directory = directoryOf(entry(1, 3), entry(4, 3), entry(7, 3))
    assert.deepEqual(
      [0, 1, 3, 4, 9, 10].map((seq) => directory.find(seq)?.first),
      [undefined, 1, 1, 4, 7, undefined],
    )
    assert.equal(directory.last?.first, 7)
    const empty = directoryOf()
    assert.deepEqual([empty.find(1), empty.last, empty.stretches(1, 9, undefined), [...empty]], [undefined, undefined, [], []])
  })

  it('puts one in place of the last, of none or of some, or of those that stand in its place', () => {
    const directory = directoryOf(entry(1, 3))
    directory.replaceLast(0, entry(4, 1))
    directory.replaceLast(0, entry(5, 1))
    assert.deepEqual(
      [...directory].map(({ first }) => first),
      [1, 4, 5],
    )
    directory.replaceLast(2, entry(4, 9))
    assert.deepEqual([...directory], [entry(1, 3), entry(4, 9)])
    const other = directoryOf(entry(1, 2), entry(3, 2), entry(5, 2), entry(7, 2))
    other.replace(entry(3, 4, NO_KINDS, true))
    assert.deepEqual([...other], [entry(1, 2), entry(3, 4, NO_KINDS, true), entry(7, 2)])
    other.replace(entry(7, 2, left))
    assert.deepEqual(other.find(8), entry(7, 2, left))
  })

  it('gives what holds wanted kinds between two places, and nothing that is gone', () => {
    const kinds = fc.constantFrom(NO_KINDS, left, alive)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), kinds, fc.boolean()), { maxLength: 40, size: 'max' }),
        ...[fc.nat(120), fc.nat(120)],
        fc.constantFrom(undefined, left, kindBits(['member.left', 'member.alive'])),
        (segments, from, to, wanted) => {
          let first = 1
          const entries = segments.map(([count, bits, isGone]) => {
            first += count
            return entry(first - count, count, bits, isGone)
          })
          const stretches = directoryOf(...entries).stretches(from, to, wanted)
          const isWanted = ({ kinds: bits }: SegmentEntry): boolean => wanted === undefined || shareKinds(bits, wanted)
          const expected = entries.filter((each) => each.first <= to && each.first + each.count > from && each.gone !== true)
          assert.deepEqual(
            stretches
              .flat()
              .filter(isWanted)
              .filter((each) => each.first + each.count > from),
            expected.filter(isWanted),
          )
          for (const stretch of stretches) {
            assert.ok(isWanted(stretch[0] as SegmentEntry) && isWanted(stretch.at(-1) as SegmentEntry))
            assert.ok(stretch.every(({ gone }) => gone !== true))
          }
        },
      ),
    )
  })

  it('reads over up to eight unwanted segments, and begins anew behind more', () => {
    const between = (count: number): number[][] => {
      const unwanted = Array.from({ length: count }, (_, index) => entry(index + 2, 1, alive))
      const directory = directoryOf(entry(1, 1, left), ...unwanted, entry(count + 2, 1, left), entry(count + 3, 1, alive))
      return directory.stretches(1, 99, left).map((stretch) => stretch.map(({ first }) => first))
    }
    assert.deepEqual(between(0), [[1, 2]])
    assert.deepEqual(between(8), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
    assert.deepEqual(between(9), [[1], [11]])
  })

  it('begins with the segment that a place stands in, and ends with that of the other', () => {
    const directory = directoryOf(entry(1, 3), entry(4, 3), entry(7, 3))
    const firsts = (from: number, to: number) =>
      directory
        .stretches(from, to, undefined)
        .flat()
        .map(({ first }) => first)
    assert.deepEqual(firsts(1, 4), [1, 4], 'the last event asked for is the first of a segment')
    assert.deepEqual(firsts(3, 3), [1])
    assert.deepEqual(firsts(4, 6), [4])
    assert.deepEqual(firsts(0, 99), [1, 4, 7])
    assert.deepEqual(firsts(5, 3), [])
  })

  it('knows a segment of which nothing is left', () => {
    const digest = new Uint8Array(32)
    const summary = (what?: 'thinned' | 'pruned' | 'lost' | 'torn'): SegmentSummary => ({
      ...{ first: 4, count: 2, kinds: left, lamportMin: 1, lamportMax: 2, before: digest, after: digest, runs: [] },
      ...(what && { removal: { what, content: digest, known: [] } }),
    })
    for (const what of [undefined, 'thinned', 'torn'] as const) assert.deepEqual(entryOf(summary(what)), entry(4, 2, left))
    for (const what of ['pruned', 'lost'] as const) assert.deepEqual(entryOf(summary(what)), entry(4, 2, left, true))
  })
})
