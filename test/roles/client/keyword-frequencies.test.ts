import { deepEqual, equal } from 'node:assert/strict'
import { KEYWORDS_MAX, KeywordFrequencies } from '../../../src/roles/client/keyword-frequencies.ts'

describe('how common keywords are', () => {
  it('is what was said of each last, and nothing of those that nobody spoke of', () => {
    const frequencies = new KeywordFrequencies()
    frequencies.note('orbit', 7)
    frequencies.note('orbit', 5)
    frequencies.note('comet', 0)
    deepEqual([frequencies.of('orbit'), frequencies.of('comet'), frequencies.of('quiet')], [5, 0, undefined])
  })

  it('is known of ten thousand keywords, those that were spoken of last', () => {
    const frequencies = new KeywordFrequencies()
    equal(KEYWORDS_MAX, 10_000)
    for (let at = 0; at < KEYWORDS_MAX; at++) frequencies.note(`word ${at}`, at)
    frequencies.note('word 0', 1)
    frequencies.note('one more', 1)
    deepEqual(
      ['word 0', 'word 1', 'word 2', 'one more'].map((word) => frequencies.of(word)),
      [1, undefined, 2, 1],
    )
  })
})
