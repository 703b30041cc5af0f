import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareCanonically, eventId, type Lamport, type Stream } from '../../../src/events/index.ts'
import { nodeIds } from '../arbitraries.ts'

// Few authors and small numbers, so that every field is equal often enough to matter.
const stamped = nodeIds.chain((a) =>
  fc.array(
    fc.record({
      lamport: fc.integer({ min: 1, max: 4 }) as unknown as fc.Arbitrary<Lamport>,
      author: fc.oneof(fc.constant(a), nodeIds),
      stream: fc.constantFrom<Stream>('local', 'gossip', 'index'),
      authorSeq: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 3, maxLength: 12 },
  ),
)

describe('the canonical order', () => {
  it('is total: only an event itself is equal to it', () => {
    fc.assert(
      fc.property(stamped, ([a, b]) => {
        assert.ok(a !== undefined && b !== undefined)
        assert.equal(Math.sign(compareCanonically(a, b)), -Math.sign(compareCanonically(b, a)) + 0)
        const isSame = a.lamport === b.lamport && eventId(a) === eventId(b)
        assert.equal(compareCanonically(a, b) === 0, isSame)
      }),
    )
  })

  it('gives the same sequence for every order of arrival', () => {
    fc.assert(
      fc.property(
        stamped.chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }))),
        ([events, shuffled]) => {
          const ids = (list: typeof events): string[] =>
            list.toSorted(compareCanonically).map((event) => `${event.lamport} ${eventId(event)}`)
          assert.deepEqual(ids(shuffled), ids(events))
        },
      ),
    )
  })

  it('puts the lower stamp first, then the lower key, the stream, the author sequence', () => {
    const event = { lamport: 2 as Lamport, author: 'b'.repeat(64), stream: 'gossip', authorSeq: 2 }
    const later = [
      { lamport: 3, author: 'a'.repeat(64), authorSeq: 1 },
      { author: 'c'.repeat(64), authorSeq: 1 },
      { stream: 'index', authorSeq: 1 },
      { authorSeq: 3 },
    ]
    for (const change of later) {
      const other = { ...event, ...change }
      assert.ok(compareCanonically(event as never, other as never) < 0, JSON.stringify(change))
    }
  })
})
