import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bucketOf, type Candidate, countPlace, keptOf, wouldKeep } from '../../../src/projections/keyword-index/keeping.ts'
import { rankOf } from '../../../src/projections/keyword-index/segments/entries.ts'

const PLACES = 160
/** What one party has of 160 places while others want them. */
const SHARE = 10

const of = (party: string, count: number, { backers = 1, from = 0 } = {}): Candidate[] =>
  Array.from({ length: count }, (_, at) => ({ party, rank: rankOf(backers, backers, from + at) }))
const byRank = (...lists: Candidate[][]): Candidate[] => lists.flat().sort((a, b) => b.rank - a.rank)
const keptBy = (items: readonly Candidate[], party: string, places = PLACES): number =>
  [...keptOf(items, (item) => item, places).kept].filter((item) => item.party === party).length
const cutOf = (items: readonly Candidate[], places = PLACES) => {
  const { cut } = keptOf(items, (item) => item, places)
  assert.ok(cut)
  return cut
}

describe('which documents an owner keeps of a keyword', () => {
  it('keeps all while there are places, and not one more', () => {
    const items = byRank(of('a', PLACES))
    const full = keptOf(items, (item) => item, PLACES)
    assert.equal(full.kept.size, PLACES)
    assert.equal(full.cut, undefined)
    const over = keptOf(byRank(of('a', PLACES + 1)), (item) => item, PLACES)
    assert.equal(over.kept.size, PLACES)
    assert.ok(over.cut)
  })

  it('keeps the latest of one party where nobody else wants a place', () => {
    const items = byRank(of('a', PLACES + 5))
    const { kept } = keptOf(items, (item) => item, PLACES)
    assert.deepEqual([...kept], items.slice(0, PLACES))
  })

  it('gives a party its share of the places while others want them', () => {
    const items = byRank(of('flood', 20_000, { from: 1000 }), ...Array.from({ length: 20 }, (_, n) => of(`p${n}`, 8)))
    assert.ok(keptBy(items, 'flood') <= SHARE)
    const others = byRank(of('flood', 20_000, { from: 1000 }), of('p', 8))
    assert.equal(keptBy(others, 'p'), 8)
    assert.equal(keptBy(others, 'flood'), PLACES - 8)
  })

  it('gives it no more of them for titles that more parties hold', () => {
    const others = Array.from({ length: 40 }, (_, n) => of(`p${n}`, 9))
    assert.equal(keptBy(byRank(of('flood', 50, { backers: 3 }), ...others), 'flood'), SHARE)
    // And the best of its own.
    const items = byRank(of('flood', 25), of('flood', 25, { backers: 3 }), ...others)
    const kept = [...keptOf(items, (item) => item, PLACES).kept].filter(({ party }) => party === 'flood')
    assert.ok(kept.every(({ rank }) => rank >= rankOf(3, 3, 0)))
  })

  it('puts nobody out whom more parties hold than those who flood a keyword', () => {
    const flood = Array.from({ length: 30 }, (_, n) => of(`flood${n}`, 1000, { from: 1000 }))
    const honest = Array.from({ length: 20 }, (_, n) => of(`p${n}`, 7, { backers: 3 }))
    const items = byRank(...flood, ...honest)
    for (let n = 0; n < 20; n++) assert.equal(keptBy(items, `p${n}`), 7)
  })

  it('gives places in turns of five where all have the same rank', () => {
    const many = Array.from({ length: 31 }, (_, n) => of(`flood${n}`, 1000, { from: 1000 }))
    assert.equal(keptBy(byRank(...many, of('p', 9)), 'p'), 5)
  })

  it('is the same for whatever order the documents came in', () => {
    const candidate = fc.record({
      party: fc.constantFrom('a', 'b', 'c', 'd'),
      backers: fc.integer({ min: 0, max: 9 }),
      lamport: fc.integer({ min: 0, max: 10_000 }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(candidate, { selector: ({ lamport }) => lamport, maxLength: 60 }),
        fc.nat(30),
        (raw, places) => {
          const items = raw.map(({ party, backers, lamport }) => ({ party, rank: rankOf(backers, backers, lamport) }))
          const namesOf = (list: readonly Candidate[]) =>
            [...keptOf(byRank([...list]), (item) => item, places).kept].map(({ rank }) => rank).sort()
          assert.deepEqual(namesOf(items), namesOf(items.toReversed()))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('who loses its place keeps none that has a lower rank and the same party', () => {
    const items = byRank(of('a', 300), of('b', 300, { backers: 3 }), of('c', 3))
    const { kept } = keptOf(items, (item) => item, PLACES)
    for (const party of ['a', 'b', 'c']) {
      const own = items.filter((item) => item.party === party)
      const places = own.map((item) => kept.has(item))
      assert.deepEqual(
        places,
        places.toSorted((x, y) => Number(y) - Number(x)),
      )
    }
  })
})

describe('whether one more document would have a place', () => {
  const crowd = (): Candidate[] => byRank(...Array.from({ length: 40 }, (_, n) => of(`p${n}`, 9, { from: 100 * n })))

  it('has none below the step of rank where the list was cut', () => {
    const cut = cutOf(byRank(...Array.from({ length: 40 }, (_, n) => of(`p${n}`, 9, { backers: 3 }))))
    assert.equal(wouldKeep(cut, { party: 'new', rank: rankOf(1, 1, 1e6) }), false)
    assert.equal(wouldKeep(cut, { party: 'new', rank: rankOf(3, 3, 1) }), true)
  })

  it('has one for a party that has fewer than the others, until it has as many', () => {
    const cut = cutOf(crowd())
    let taken = 0
    while (taken < 100 && wouldKeep(cut, { party: 'new', rank: rankOf(1, 1, taken) })) {
      countPlace(cut, { party: 'new', rank: rankOf(1, 1, taken) })
      taken += 1
    }
    assert.equal(taken, 5)
  })

  it('has one for whoever holds its share, above the least of its own alone', () => {
    const cut = cutOf(byRank(of('full', 50, { backers: 3 }), ...Array.from({ length: 40 }, (_, n) => of(`p${n}`, 9))))
    assert.equal(wouldKeep(cut, { party: 'full', rank: rankOf(3, 3, 1e6) }), false)
    assert.equal(wouldKeep(cut, { party: 'full', rank: rankOf(30, 30, 1) }), true)
  })

  it('says yes to all that a cut with them would keep, but for what would only put out an older one of its party', () => {
    const cut = cutOf(crowd())
    const counts = { yes: 0, no: 0 }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 1e6 }), fc.nat(60), (backers, lamport, party) => {
        const added = { party: `p${party}`, rank: rankOf(backers, backers, lamport) }
        const { kept } = keptOf(byRank(crowd(), [added]), (item) => item, PLACES)
        const isRenewed = cut.parties.has(added.party) && bucketOf(added.rank) === cut.bucket
        const says = wouldKeep(cut, added)
        counts[says ? 'yes' : 'no'] += 1
        if (kept.has(added) && !isRenewed) assert.ok(says)
      }),
      { numRuns: 200 },
    )
    assert.ok(counts.yes > 20 && counts.no > 5, JSON.stringify(counts))
  })
})
