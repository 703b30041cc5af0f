import assert from 'node:assert/strict'
import { ALL_UNREAD_BYTES_MAX, SESSION_UNREAD_BYTES_MAX, SMALL_ANSWER_BYTES_MAX, Unread } from '../../src/control/unread.ts'

describe('unread answers', () => {
  it('are as many for one caller as its bound says, and not a byte more', () => {
    const unread = new Unread()
    unread.count(1)
    assert.equal(unread.refusal(SESSION_UNREAD_BYTES_MAX - 1, 1), undefined)
    assert.equal(unread.refusal(SESSION_UNREAD_BYTES_MAX, 1), 'session')
  })

  it('are as many for all callers as the bound says, and not a byte more', () => {
    const unread = new Unread()
    unread.count(ALL_UNREAD_BYTES_MAX - 100_000)
    assert.equal(unread.refusal(100_000, 0), undefined)
    assert.equal(unread.refusal(100_001, 0), 'all')
    unread.count(-1)
    assert.equal(unread.refusal(100_001, 0), undefined)
  })

  it('of others hold up no small answer to one who reads', () => {
    const unread = new Unread()
    unread.count(ALL_UNREAD_BYTES_MAX)
    assert.equal(unread.refusal(SMALL_ANSWER_BYTES_MAX, 0), undefined)
    assert.equal(unread.refusal(SMALL_ANSWER_BYTES_MAX + 1, 0), 'all')
    assert.equal(unread.refusal(1, 1), 'all')
  })

  it('may be one of any length where there is no other', () => {
    assert.equal(new Unread().refusal(10 * ALL_UNREAD_BYTES_MAX, 0), undefined)
  })
})
