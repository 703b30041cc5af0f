import assert from 'node:assert/strict'
import { arrivalKey, firstOfKey, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'

describe('the key of a segment', () => {
  it('names its first event, past 2^32 too, and sorts by it', () => {
    const firsts = [1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 45]
    for (const key of [segmentKey, summaryKey, arrivalKey]) {
      assert.deepEqual(firsts.map(key).map(firstOfKey), firsts)
      assert.deepEqual(firsts.toReversed().map(key).sort(Buffer.compare).map(firstOfKey), firsts)
    }
  })
})
