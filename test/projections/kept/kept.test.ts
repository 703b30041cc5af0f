import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ALL_KINDS, type Event, KINDS } from '../../../src/events/index.ts'
import { keptProjection } from '../../../src/projections/index.ts'
import { EnvelopeMaker, foldAll, hash, node, rowsOf } from '../envelopes.ts'
import { projectionLaws } from '../projection.laws.ts'
import { judged } from '../reputation/scenes.ts'

const own = node('own')
const published: Event = {
  ...{ kind: 'torrent.published', infoHash: hash('film'), title: 'Film', sizeBytes: 1, fileCount: 1, tags: [] },
}

describe('what is kept of others', () => {
  it('is counted by author and stream, in events and bytes, and not of the node itself', () => {
    const maker = new EnvelopeMaker()
    const [ada, bob] = [node('ada'), node('bob')]
    const state = foldAll(keptProjection(own), [
      maker.make(ada, judged(bob, 1, 0)),
      { ...maker.make(ada, judged(bob, 1, 0)), payloadBytes: 7 },
      maker.make(ada, published, 'index'),
      maker.make(bob, published, 'index'),
      maker.make(own, judged(bob, 1, 0)),
      maker.make(own, published, 'index'),
    ])
    const none = { events: 0, bytes: 0 }
    assert.deepEqual(Object.fromEntries(state.authors), {
      [ada]: { gossip: { events: 2, bytes: 107 }, index: { events: 1, bytes: 100 } },
      [bob]: { gossip: none, index: { events: 1, bytes: 100 } },
    })
    // As it is stored: another order of the numbers would be read wrongly by the next version.
    const rows = [
      [ada, '[2,107,1,100]'],
      [bob, '[0,0,1,100]'],
    ].sort()
    assert.deepEqual(rowsOf(keptProjection(own), state), rows)
    assert.deepEqual(keptProjection(own).changes(state), rows)
  })

  it('is counted of every kind that travels, and of an event that stays here nothing', () => {
    const { handles } = keptProjection(own)
    for (const kind of ALL_KINDS) assert.equal(handles.includes(kind), KINDS[kind].stream !== 'local', kind)
    const local = new EnvelopeMaker().make(node('ada'), judged(node('bob'), 1, 0), 'local')
    const state = foldAll(keptProjection(own), [local])
    assert.deepEqual([state.authors.size, keptProjection(own).changes(state)], [0, []])
  })

  const authors = fc.constantFrom(own, node('ada'), node('bob'))
  const histories = fc
    .array(fc.tuple(authors, fc.boolean(), fc.nat({ max: 1_000 })), { maxLength: 20, size: 'max' })
    .map((list) => {
      const maker = new EnvelopeMaker()
      return list.map(([author, isVerdict, payloadBytes]) => ({
        ...maker.make(author, isVerdict ? judged(node('eve'), 1, 0) : published, isVerdict ? 'gossip' : 'index'),
        payloadBytes,
      }))
    })
  projectionLaws(
    () => keptProjection(own),
    histories,
    (rows) => rows,
  )
})
