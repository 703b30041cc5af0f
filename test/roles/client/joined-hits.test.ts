import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { joinedHits } from '../../../src/roles/client/joined-hits.ts'
import type { ProvenHit } from '../../../src/roles/client/proven-hits.ts'
import { hash, node } from '../../projections/envelopes.ts'

const hit = (name: string, more: Partial<ProvenHit> = {}): ProvenHit => ({
  ...{
    infoHash: hash(name),
    title: name,
    sizeBytes: 1,
    fileCount: 1,
    tags: [],
    publisher: node(name),
    party: `party of ${name}`,
  },
  ...{ publishedAt: 0, authorSeq: 1, description: { body: new Uint8Array(), signature: new Uint8Array() } },
  ...{ seeders: 0, lastSeenAt: 0, provenSeeders: new Set<NodeId>() },
  ...more,
})
const names = (...answers: ProvenHit[][]): string[] => joinedHits(answers).map(({ title }) => title)

describe('answers of several owners', () => {
  it('are one list, each hit once, at the best place that any of them gave it', () => {
    assert.deepEqual(names(), [])
    assert.deepEqual(names([hit('a'), hit('b'), hit('c')]), ['a', 'b', 'c'])
    assert.deepEqual(names([hit('a'), hit('b'), hit('c')], [hit('a'), hit('c')]), [
      'a',
      ...['b', 'c'].sort((x, y) => (hash(x) < hash(y) ? -1 : 1)),
    ])
    assert.deepEqual(names([hit('a', { seeders: 9 }), hit('b'), hit('c')], [hit('c', { seeders: 5 })]), ['a', 'c', 'b'])
  })

  it('are, at one place, in the order of seeders, and then of info hashes, whoever answered first', () => {
    const [few, many] = [hit('few', { seeders: 1 }), hit('many', { seeders: 2 })]
    assert.deepEqual(names([few], [many]), ['many', 'few'])
    assert.deepEqual(names([many], [few]), ['many', 'few'])
    const inOrder = ['a', 'b'].sort((x, y) => (hash(x) < hash(y) ? -1 : 1))
    assert.deepEqual(names([hit('a')], [hit('b')]), inOrder)
    assert.deepEqual(names([hit('b')], [hit('a')]), inOrder)
  })

  it('have of seeders the fewest that anybody says, and all that are proven', () => {
    const seen = (seeders: number, lastSeenAt: number, ...proven: string[]) =>
      hit('film', { seeders, lastSeenAt, provenSeeders: new Set(proven.map(node)) })
    const joined = (...hits: ProvenHit[]) => joinedHits(hits.map((each) => [each]))[0]
    const one = joined(seen(1_000, 5, 'ada'), seen(3, 9, 'bob'), seen(7, 7))
    assert.deepEqual([one?.seeders, one?.lastSeenAt, one?.provenSeeders], [3, 9, new Set([node('ada'), node('bob')])])
    const proven = joined(seen(1, 0, 'ada'), seen(1, 0, 'bob'))
    assert.equal(proven?.seeders, 2, 'no fewer than are proven')
  })

  it('give no publisher more than five places in a row, and none twice that', () => {
    const flood = Array.from({ length: 12 }, (_, at) => hit(`flood ${at}`, { publisher: node('eve'), party: 'eve' }))
    const order = names([...flood.slice(0, 6), hit('film')], [...flood.slice(6), hit('film')])
    assert.equal(order.indexOf('film'), 5)
    assert.equal(order.length, 13)
    const guests = Array.from({ length: 12 }, (_, at) => hit(`guest ${at}`, { party: 'mallory' }))
    assert.equal(names([...guests, hit('film')]).indexOf('film'), 5, 'nor to those that one answers for')
  })
})
