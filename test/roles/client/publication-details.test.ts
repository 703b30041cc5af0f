import assert from 'node:assert/strict'
import { TAG_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX } from '../../../src/events/index.ts'
import type { OwnClaim } from '../../../src/roles/client/own-claims.ts'
import { checkDetails, detailsOf } from '../../../src/roles/client/publication-details.ts'
import { hash, node } from '../../projections/envelopes.ts'

describe('the details of a publication', () => {
  const made = { infoHash: hash('one'), name: 'quiet orbit.bin' }
  const claim: OwnClaim = {
    ...{ infoHash: made.infoHash, title: 'A quiet orbit', tags: ['film'], withdrawn: false, isPublished: true },
    publication: { author: node('a'), authorSeq: 1, keywords: [] },
  }
  const publisher = (before?: OwnClaim) => ({ claimOf: () => before, canBeFound: (title: string) => title !== '***' })

  it('have a title of so many bytes, and not one more', () => {
    checkDetails({ title: 'x'.repeat(TITLE_BYTES_MAX) })
    for (const title of ['x'.repeat(TITLE_BYTES_MAX + 1), 'é'.repeat(TITLE_BYTES_MAX / 2 + 1)])
      assert.throws(() => checkDetails({ title }), { code: 'usage', message: `a title has at most ${TITLE_BYTES_MAX} bytes` })
  })

  it('have so many tags, and so long ones, and not one more', () => {
    const tag = 'x'.repeat(TAG_BYTES_MAX)
    checkDetails({ tags: Array(TAGS_MAX).fill(tag) })
    for (const tags of [Array(TAGS_MAX + 1).fill('x'), [`${tag}x`], [''], [' ']])
      assert.throws(() => checkDetails({ tags }), {
        code: 'usage',
        message: `at most ${TAGS_MAX} tags, each of 1 to ${TAG_BYTES_MAX} bytes`,
      })
  })

  it('are as asked, else as they were, else its name', () => {
    const { title, ...none } = detailsOf(made, {}, publisher())
    assert.deepEqual([title, none], ['quiet orbit.bin', { tags: [], before: undefined }])
    assert.deepEqual(detailsOf(made, {}, publisher(claim)), { title: 'A quiet orbit', tags: ['film'], before: 'A quiet orbit' })
    assert.deepEqual(detailsOf(made, { title: 'Low orbit', tags: ['hd'] }, publisher(claim)), {
      ...{ title: 'Low orbit', tags: ['hd'], before: 'A quiet orbit' },
    })
  })

  it('have a title that can be found', () => {
    assert.throws(() => detailsOf(made, { title: '***' }, publisher()), {
      code: 'usage',
      message: /has no word to be found by/,
    })
  })
})
