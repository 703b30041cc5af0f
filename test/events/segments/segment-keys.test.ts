import assert from 'node:assert/strict'
import {
  ARRIVALS,
  arrivalKey,
  firstOfKey,
  isKeyPrefix,
  KEY_BYTES,
  META_KEY,
  rowOfSnapshotKey,
  SEGMENTS,
  SNAPSHOTS,
  SUMMARIES,
  segmentKey,
  snapshotKey,
  summaryKey,
} from '../../../src/events/segments/segment-keys.ts'

describe('the key of a segment', () => {
  it('names its first event, past 2^32 too, and sorts by it', () => {
    const firsts = [1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 45]
    for (const key of [segmentKey, summaryKey, arrivalKey]) {
      assert.deepEqual(firsts.map(key).map(firstOfKey), firsts)
      assert.deepEqual(firsts.toReversed().map(key).sort(Buffer.compare).map(firstOfKey), firsts)
      assert.ok(firsts.every((first) => key(first).length === KEY_BYTES))
    }
    assert.equal(firstOfKey(Uint8Array.from([9, 9, ...segmentKey(300)]).subarray(2)), 300, 'as a view too')
  })

  it('is as the golden logs have it', () => {
    assert.deepEqual(
      [META_KEY, summaryKey(1), segmentKey(258), arrivalKey(2 ** 32 + 3), snapshotKey('ab', 'c')].map((key) =>
        Buffer.from(key).toString('latin1'),
      ),
      ['m', 'i\0\0\0\0\0\0\0\u0001', 's\0\0\0\0\0\0\u0001\u0002', 't\0\0\0\u0001\0\0\0\u0003', 'pab\0c'],
    )
  })
})

describe('the keys of a log', () => {
  const every = [META_KEY, summaryKey(2 ** 45), segmentKey(2 ** 45), arrivalKey(2 ** 45), snapshotKey('names', '\u{10ffff}')]

  it('are each in the range of their own kind alone', () => {
    const isWithin = (key: Uint8Array, { gte, lt }: typeof SEGMENTS): boolean =>
      Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0
    const kinds = [SUMMARIES, SEGMENTS, ARRIVALS, SNAPSHOTS].map((range) => every.map((key) => isWithin(key, range)))
    assert.deepEqual(kinds, [
      [false, true, false, false, false],
      [false, false, true, false, false],
      [false, false, false, true, false],
      [false, false, false, false, true],
    ])
  })

  it('are known by their first byte', () => {
    assert.ok(every.every(([prefix = 0]) => isKeyPrefix(prefix)))
    assert.equal(Array.from({ length: 256 }, (_, byte) => byte).filter(isKeyPrefix).length, every.length)
  })

  it('of the rows of a snapshot give back the row, whatever is in it', () => {
    for (const row of ['', 'key', 'a\0b', '電影', 'p\0']) assert.equal(rowOfSnapshotKey(snapshotKey('names', row)), row)
  })
})
