import assert from 'node:assert/strict'
import { encodePreface, framesAt, prefaceOf } from '../../../src/events/segments/segment-preface.ts'
import { NO_KINDS, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { signerOf } from '../samples.ts'

const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const summaryOf = (runs: number): SegmentSummary => ({
  ...{ first: 1, count: runs, kinds: NO_KINDS, lamportMin: 1, lamportMax: 9, before: digest(1), after: digest(2) },
  runs: Array.from({ length: runs }, (_, index) => ({
    ...{ author: signerOf(index % 3).id, stream: 'gossip' as const, authorSeq: index + 1, seq: index + 1, count: 1 },
  })),
})

describe('the preface of a segment', () => {
  // The length of the longest takes two bytes.
  for (const preface of [{ before: digest(3) }, { summary: summaryOf(0) }, { summary: summaryOf(40) }]) {
    const encoded = encodePreface(preface)
    const bytes = Uint8Array.from([9, 9, ...encoded, 7])

    it(`says ${preface.summary === undefined ? 'what stands before' : 'the whole summary'}, in ${encoded.length} bytes`, () => {
      assert.deepEqual(prefaceOf(bytes, 2), preface)
      assert.equal(framesAt(bytes, 2), bytes.length - 1)
      assert.equal(framesAt(encoded, 0), encoded.length, 'also where nothing is behind it')
    })

    it(`is refused where it is none, or cut off, of ${encoded.length} bytes`, () => {
      for (const [at, value] of [
        [2, 1],
        [3, 0],
        [3, 3],
      ] as const)
        for (const read of [prefaceOf, framesAt])
          assert.throws(() => read(bytes.with(at, value), 2), { name: 'VarintError', message: 'a segment has no preface' })
      for (const length of [0, 1, 2, encoded.length - 1])
        for (const read of [prefaceOf, framesAt])
          assert.throws(() => read(encoded.slice(0, length), 0), { name: 'VarintError' })
    })
  }

  it('has a copy of the digest, which keeps no segment in memory', () => {
    const bytes = encodePreface({ before: digest(3) })
    const { before } = prefaceOf(bytes, 0)
    bytes.fill(0)
    assert.deepEqual(before, digest(3))
  })
})
