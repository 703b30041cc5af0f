import assert from 'node:assert/strict'
import { AuthorRates } from '../../../src/network/gossip/author-rates.ts'
import { authorOf } from './gossip-at-the-door.ts'

describe('author rates', () => {
  const taken = (rates: AuthorRates<string>, author: number, count: number, now: number): number =>
    Array.from({ length: count }, () => rates.take(authorOf(author), now)).filter(Boolean).length

  it('let a burst pass, then so many a second, each author by itself', () => {
    const rates = new AuthorRates(10, 5, 100)
    assert.equal(taken(rates, 1, 20, 0), 5)
    assert.equal(taken(rates, 2, 20, 0), 5)
    assert.equal(taken(rates, 1, 20, 300), 3)
    assert.equal(taken(rates, 1, 20, 100_000), 5)
  })

  it('let nothing pass for a part of a token, and lose no part of one', () => {
    const rates = new AuthorRates(10, 1, 100)
    assert.equal(taken(rates, 1, 1, 0), 1)
    assert.equal(taken(rates, 1, 1, 99), 0)
    assert.equal(taken(rates, 1, 1, 100), 1, 'the whole token, of which 0.99 were there when it was asked for before')
  })

  it('tell how many are left, and take none for it', () => {
    const rates = new AuthorRates(10, 5, 100)
    assert.equal(rates.left(authorOf(1), 0), 5)
    taken(rates, 1, 5, 1_000)
    assert.deepEqual(
      [1_000, 1_000, 1_050, 1_500, 9_000].map((now) => rates.left(authorOf(1), now)),
      [0, 0, 0.5, 5, 5],
    )
    assert.equal(rates.left(authorOf(1), 0), 0, 'a clock that was put back takes nothing away')
  })

  it('are remembered of so many authors, the one that was silent longest gives way', () => {
    const rates = new AuthorRates(0, 1, 2)
    const take = (author: number) => rates.take(authorOf(author), 0)
    assert.deepEqual([take(1), take(2), take(1), take(2)], [true, true, false, false])
    assert.deepEqual([take(1), take(3), take(1), take(2)], [false, true, false, true])
  })
})
