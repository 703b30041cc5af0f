import assert from 'node:assert/strict'
import { summaryOfFrames } from '../../../src/events/damage/verify-log.ts'
import type { Envelope, EventKind, UnsignedEvent } from '../../../src/events/index.ts'
import { joinPruned, thin } from '../../../src/events/pruning/thinning.ts'
import { encodeFrame, signedEventsOf, wantedKinds } from '../../../src/events/segments/segment.ts'
import { kindBits } from '../../../src/events/segments/segment-directory.ts'
import { NO_KINDS, type SegmentSummary, shareKinds } from '../../../src/events/segments/segment-summary.ts'
import { foreign, noUpcast, signerOf } from '../samples.ts'

const author = signerOf(1).id
const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const pruned = (first: number, count: number, lamports: readonly [number, number]): SegmentSummary => ({
  ...{ first, count, kinds: NO_KINDS, lamportMin: lamports[0], lamportMax: lamports[1], runs: [] },
  ...{ before: digest(first), after: digest(first + count) },
  removal: { what: 'pruned', content: digest(0), known: [{ author, stream: 'gossip', authorSeq: first, count }] },
})

describe('two holes in a log', () => {
  it('become one where they stand side by side, with the stamps and events of both', () => {
    const joined = joinPruned(pruned(1, 4, [7, 9]), pruned(5, 3, [2, 30]))
    assert.ok(joined)
    assert.deepEqual([joined.first, joined.count, joined.lamportMin, joined.lamportMax], [1, 7, 2, 30])
    assert.deepEqual([joined.before, joined.after], [digest(1), digest(8)])
    assert.deepEqual(joined.removal?.known, [{ author, stream: 'gossip', authorSeq: 1, count: 7 }])
  })

  it('stay two where something stands between them, where they overlap, and where one is lost rather than pruned', () => {
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), pruned(6, 3, [1, 1])), undefined)
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), pruned(4, 3, [1, 1])), undefined)
    const lost = pruned(5, 3, [1, 1])
    assert.ok(lost.removal)
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), { ...lost, removal: { ...lost.removal, what: 'lost' } }), undefined)
  })
})

describe('a segment of which events are taken out', () => {
  const [ada, bob] = [signerOf(1), signerOf(2)]
  const left = (authorSeq: number) => foreign(ada, authorSeq, authorSeq)
  const alive: UnsignedEvent = {
    stream: 'gossip',
    event: {
      ...{ kind: 'member.alive', subject: bob.id, incarnation: 1, role: 'index' },
      ...{ host: '127.0.0.1', port: 1, dhtPort: 0 },
    },
  }
  // At 11 to 16, of two authors and in two frames.
  const frames = Uint8Array.from([
    ...encodeFrame([left(1), left(2), left(3)]),
    ...encodeFrame([foreign(bob, 1, 40, alive), left(4), left(5)]),
  ])
  const summary = summaryOfFrames(frames, { first: 11, before: digest(1), after: digest(2) }) ?? assert.fail()
  const tools = { upcast: noUpcast, digest: (bytes: Uint8Array) => digest(bytes.length % 256) }
  const thinned = (
    drop: (envelope: Envelope) => boolean,
    { to = 99, of = summary, from = frames as Uint8Array, kinds = ['member.left'] as EventKind[] } = {},
  ) => thin(of, from, { to, wanted: wantedKinds(kinds), drop }, tools)
  const seqsIn = (bytes: Uint8Array) => [...signedEventsOf(bytes, 0, 11)].map(({ seq }) => seq)

  it('is left alone where none goes', () => {
    assert.equal(
      thinned(() => false),
      undefined,
    )
    assert.equal(
      thinned(() => true, { to: 10 }),
      undefined,
    )
    assert.equal(
      thinned(() => true, { kinds: ['node.started'] }),
      undefined,
    )
  })

  it('keeps the places of the others, its stamps and its chain, and knows what went', () => {
    const done = thinned(({ seq }) => seq === 12 || seq === 13 || seq === 15) ?? assert.fail()
    assert.ok(done.frames)
    assert.deepEqual(seqsIn(done.frames), [11, 14, 16])
    assert.deepEqual([done.events, done.bytes], [3, frames.length - done.frames.length])
    const known = [
      { author: ada.id, stream: 'gossip', authorSeq: 2, count: 2 },
      { author: ada.id, stream: 'gossip', authorSeq: 4, count: 1 },
    ]
    assert.deepEqual(done.dropped, known)
    assert.deepEqual(done.summary.removal, {
      what: 'thinned',
      content: digest(done.frames.length % 256),
      known: [{ ...known[0], count: 3 }],
    })
    const { first, count, lamportMin, lamportMax, before, after } = summary
    const facts = done.summary
    assert.deepEqual(
      {
        first: facts.first,
        count: facts.count,
        lamportMin: facts.lamportMin,
        lamportMax: facts.lamportMax,
        before: facts.before,
        after: facts.after,
      },
      { first, count, lamportMin, lamportMax, before, after },
    )
    assert.deepEqual(
      facts.runs.map(({ author, authorSeq, seq, count: held }) => [author, authorSeq, seq, held]),
      [
        [ada.id, 1, 11, 1],
        [bob.id, 1, 14, 1],
        [ada.id, 5, 16, 1],
      ],
    )
    assert.equal(shareKinds(facts.kinds, kindBits(['member.alive'])), true)
    const again = thinned(({ seq }) => seq === 16, { of: done.summary, from: done.frames }) ?? assert.fail()
    assert.deepEqual(again.summary.removal?.known, [{ ...known[0], count: 4 }], 'what went before is known still')
    assert.deepEqual(again.dropped, [{ ...known[0], authorSeq: 5, count: 1 }])
  })

  it('asks of the wanted kinds alone, and up to a place', () => {
    const asked: number[] = []
    thinned(
      ({ seq }) => {
        asked.push(seq)
        return false
      },
      { to: 15 },
    )
    assert.deepEqual(asked, [11, 12, 13, 15])
  })

  it('has no frames where nothing is left, nor the kinds of what went', () => {
    const done = thinned(() => true, { kinds: ['member.left', 'member.alive'] }) ?? assert.fail()
    assert.deepEqual([done.frames, done.events, done.bytes], [undefined, 6, frames.length])
    assert.deepEqual([done.summary.removal?.what, done.summary.removal?.content, done.summary.runs], ['pruned', digest(0), []])
    assert.deepEqual(done.summary.kinds, NO_KINDS)
    assert.equal(done.summary.removal?.known.length, 2)
    const some = thinned(({ seq }) => seq !== 14) ?? assert.fail()
    assert.equal(shareKinds(some.summary.kinds, kindBits(['member.left'])), false, 'nobody looks for them here any more')
  })

  it('is refused where its bytes are not what was written', () => {
    assert.throws(() => thinned(() => true, { from: frames.subarray(0, -1) }), { name: 'VarintError' })
  })
})
