import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Event } from '../../../src/events/index.ts'
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
    assert.equal(rowsOf(keptProjection(own), state).length, 2)
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
