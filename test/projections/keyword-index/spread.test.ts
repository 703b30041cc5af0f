import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PLACES_IN_A_ROW, spread } from '../../../src/projections/keyword-index/spread.ts'

type Item = { readonly author: string; readonly at: number }
/** Of whom each author is a guest. */
const PARTIES = new Map([
  ['ada', 'red'],
  ['amy', 'red'],
  ['bob', 'blue'],
  ['cy', 'green'],
])
const spreadOut = (items: readonly Item[]) =>
  spread(items, { authorOf: ({ author }) => author, partyOf: ({ author }) => PARTIES.get(author) ?? author })
const of = (author: string, count: number, from = 0): Item[] =>
  Array.from({ length: count }, (_, at) => ({ author, at: from + at }))

describe('the order of hits among publishers', () => {
  it('gives each party five places before anybody has more', () => {
    assert.equal(PLACES_IN_A_ROW, 5)
    const order = spreadOut([...of('bob', 12), ...of('cy', 6)]).map(({ author, at }) => `${author}${at}`)
    assert.deepEqual(order, [
      ...['bob0', 'bob1', 'bob2', 'bob3', 'bob4', 'cy0', 'cy1', 'cy2', 'cy3', 'cy4'],
      ...['bob5', 'bob6', 'bob7', 'bob8', 'bob9', 'cy5', 'bob10', 'bob11'],
    ])
  })

  it('divides the places of a party among its authors likewise', () => {
    const order = spreadOut([...of('ada', 20), ...of('amy', 1), ...of('bob', 1)]).map(({ author, at }) => `${author}${at}`)
    assert.deepEqual(order.slice(0, 7), ['ada0', 'ada1', 'ada2', 'ada3', 'ada4', 'bob0', 'amy0'])
  })

  it('loses none and doubles none, keeps the order of each author, and changes nothing where nobody has more than five', () => {
    const items = fc
      .array(fc.constantFrom('ada', 'amy', 'bob', 'cy', 'dee'), { maxLength: 60, size: 'max' })
      .map((authors) => authors.map((author, at) => ({ author, at })))
    fc.assert(
      fc.property(items, (all) => {
        const order = spreadOut(all)
        assert.deepEqual(
          order.toSorted((a, b) => a.at - b.at),
          all,
        )
        for (const name of ['ada', 'amy', 'bob', 'cy', 'dee']) {
          const own = order.filter(({ author }) => author === name).map(({ at }) => at)
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
          )
        }
        // Nobody's first five stand behind the sixth of anybody.
        const count = new Map<string, number>()
        let tier = 0
        for (const { author } of order) {
          const party = PARTIES.get(author) ?? author
          const place = count.get(party) ?? 0
          count.set(party, place + 1)
          assert.ok(Math.floor(place / 5) >= tier)
          tier = Math.floor(place / 5)
        }
        if ([...count.values()].every((each) => each <= 5)) assert.deepEqual(order, all)
      }),
    )
  })
})
