import assert from 'node:assert/strict'
import type { Event, Millis, NodeId } from '../../../src/events/index.ts'
import { type KeywordIndexState, search, speakers } from '../../../src/projections/index.ts'
import { OFFER_COUNTS_MS } from '../../../src/projections/keyword-index/renewals.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'
import { fold, newTable, openOver, reopened, writeSegment } from './index-states.ts'

const [ada, bob] = [node('ada'), node('bob')]
const AT = Date.parse('2026-11-01')
const HOUR = 3_600_000

const published = (title: string): Event => ({
  ...{ kind: 'torrent.published', infoHash: hash(title), title, sizeBytes: 1, fileCount: 1, tags: [] },
})

function opened() {
  const maker = new EnvelopeMaker()
  const state = openOver(newTable())
  const says = (author: NodeId, event: Event, at: number): void =>
    fold.apply(state, { ...maker.make(author, event, 'index'), at: at as Millis })
  return { state, says }
}

const seeders = (state: KeywordIndexState, now: number, query = 'walrus') =>
  search(state, query, { now }).hits.map(({ title, seeders, lastSeenAt }) => [title, seeders, lastSeenAt])

describe('a seeder that is gone', () => {
  it('counts for 18 hours after it said so last, and is told with the time when it was last seen from then on', async () => {
    const { state, says } = opened()
    says(ada, published('Walrus'), AT)
    const after = AT + OFFER_COUNTS_MS
    assert.deepEqual(seeders(state, after - 1), [['Walrus', 1, AT]])
    assert.deepEqual(seeders(state, after + 60_000), [['Walrus', 0, AT]])
    assert.deepEqual(seeders(await reopened(state), after + 60_000), [['Walrus', 0, AT]])
    assert.deepEqual(seeders(state, after + 60_000, 'walrus seeders:>=1'), [])
    assert.deepEqual(seeders(state, after + 60_000, 'walrus seeders:0'), [['Walrus', 0, AT]])
  })

  it('is there again with one renewal of all that it offers, also after a restart', async () => {
    const { state, says } = opened()
    for (const title of ['Walrus one', 'Walrus two']) says(ada, published(title), AT)
    says(bob, published('Walrus three'), AT)
    writeSegment(state)
    const now = AT + 20 * HOUR
    assert.deepEqual(
      seeders(state, now).map(([, count]) => count),
      [0, 0, 0],
    )
    const before = fold.digest(state)
    says(ada, { kind: 'offers.renewed' }, AT + 19 * HOUR)
    assert.notEqual(fold.digest(state), before)
    for (const one of [state, await reopened(state)]) {
      const found = seeders(one, now)
      // Those that somebody has come first.
      assert.deepEqual(
        found.map(([title, count]) => `${title} ${count}`),
        ['Walrus two 1', 'Walrus one 1', 'Walrus three 0'],
      )
      assert.equal(found[0]?.[2], AT + 19 * HOUR)
      assert.equal(fold.digest(one), fold.digest(state))
    }
  })

  it('is not brought back by a renewal that another one has replaced, whatever came first', () => {
    const [one, two] = [opened(), opened()]
    const maker = new EnvelopeMaker()
    const said = [published('Walrus'), { kind: 'offers.renewed' } as const, { kind: 'offers.renewed' } as const].map(
      (event, at) => ({
        ...maker.make(ada, event, 'index'),
        at: (AT + at * 19 * HOUR) as Millis,
      }),
    )
    for (const envelope of said) fold.apply(one.state, envelope)
    for (const envelope of [said[0], said[2], said[1]]) if (envelope !== undefined) fold.apply(two.state, envelope)
    const now = AT + 39 * HOUR
    assert.deepEqual(seeders(two.state, now), seeders(one.state, now))
    assert.deepEqual(seeders(one.state, now), [['Walrus', 1, AT + 38 * HOUR]])
    // Twice the same is once.
    const digest = fold.digest(one.state)
    if (said[2] !== undefined) fold.apply(one.state, said[2])
    assert.equal(fold.digest(one.state), digest)
  })

  it('takes its renewal along when it is forgotten', async () => {
    const { state, says } = opened()
    says(bob, published('Walrus'), AT)
    const digest = fold.digest(state)
    says(ada, published('Seal'), AT)
    says(ada, { kind: 'offers.renewed' }, AT)
    for (const _ of fold.forget?.(state, new Set([ada])) ?? []);
    for (const one of [state, await reopened(state)]) {
      assert.deepEqual([fold.digest(one), one.renewals.size], [digest, 0])
    }
  })

  it('is among the authors that can be forgotten with a renewal alone', () => {
    const { state, says } = opened()
    const digest = fold.digest(state)
    says(ada, { kind: 'offers.renewed' }, AT)
    assert.deepEqual([...speakers(state)], [ada])
    for (const _ of fold.forget?.(state, new Set(speakers(state))) ?? []);
    assert.deepEqual([[...speakers(state)], fold.digest(state)], [[], digest])
  })
})
