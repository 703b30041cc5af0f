import assert from 'node:assert/strict'
import { eventsOf, isForeign, type KeptSegment, SalvagedChains } from '../../../src/events/damage/salvaged-chains.ts'
import { toHex } from '../../../src/events/index.ts'
import type { SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { BOB, EVE, gossip, hole, kept, logOf, type Made, ME, secret, segmentOf, thinned } from './segments-scene.ts'

const START = { seq: 0, digest: new Uint8Array(32) }
const endOf = ({ first, count, after }: SegmentSummary) => ({ seq: first + count - 1, digest: after })
const markOf = (summary: SegmentSummary) => ({ seq: endOf(summary).seq, digest: toHex(summary.after) })
const log = logOf(BOB, 4, 3, 5)
const [one, two, three] = log as [Made, Made, Made]
const lost = (made: Made): KeptSegment => ({ summary: hole(made, 'lost'), frames: undefined, isCurrent: true })

/** The segments that follow one another from the beginning on. */
function chainOf(chains: SalvagedChains, from: { seq: number; digest: Uint8Array } = START): number[][] {
  const rows: number[][] = []
  let at = from
  for (let row = chains.after(at); row !== undefined; row = chains.after(at)) {
    rows.push([row.summary.first, row.summary.count])
    at = endOf(row.summary)
  }
  return rows
}
const chains = (found: readonly KeptSegment[], mark?: SegmentSummary) => new SalvagedChains(found, ME.id, mark && markOf(mark))

describe('segments that were found', () => {
  it('follow one another by their digests, in whatever order they come', () => {
    for (const found of [log, log.toReversed()]) {
      const made = chains(found.map((each) => kept(each)))
      assert.deepEqual(chainOf(made), [
        [1, 4],
        [5, 3],
        [8, 5],
      ])
      assert.equal(made.after(endOf(three.summary)), undefined)
      assert.equal(made.after({ seq: 4, digest: new Uint8Array(32) }), undefined, 'at its place and by its digest')
      assert.equal(made.after({ seq: 3, digest: one.summary.after }), undefined)
    }
    assert.equal(chains([]).after(START), undefined)
    assert.equal(chains([]).nextAfter(0), undefined)
  })

  it('go on behind a gap with the first that begins there', () => {
    const made = chains([kept(one), kept(three)])
    assert.deepEqual(chainOf(made), [[1, 4]])
    assert.equal(made.nextAfter(4)?.first, 8)
    assert.equal(made.nextAfter(0)?.first, 8, 'the one at the next place is no gap')
    assert.equal(made.nextAfter(6)?.first, 8)
    assert.equal(made.nextAfter(7), undefined)
  })

  it('are those that keep most events where several begin at one place', () => {
    const joined = segmentOf(one.summary, two.events, three.events)
    const all = [kept(one), kept(two), kept(joined), kept(three)]
    // As many events: the first that was found.
    assert.deepEqual(chainOf(chains(all)), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.deepEqual(chainOf(chains([kept(one), kept(two), kept(joined)])), [
      [1, 4],
      [5, 8],
    ])
    assert.deepEqual(chainOf(chains([kept(one), kept(joined), kept(two)])), [
      [1, 4],
      [5, 8],
    ])
    const half = segmentOf(one.summary, two.events.slice(0, 2))
    assert.deepEqual(
      chainOf(chains([kept(one), kept(half), kept(two), kept(three)])),
      [
        [1, 4],
        [5, 3],
        [8, 5],
      ],
      'with what follows',
    )
    assert.deepEqual(chainOf(chains([kept(one), lost(two), kept(two), kept(three)])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.equal(chains([kept(one), kept(half), kept(two), kept(three)]).nextAfter(2)?.count, 3)
    const short = segmentOf(two.summary, three.events.slice(0, 1))
    const behind = chains([kept(one), kept(short), kept(three)])
    assert.equal(behind.nextAfter(4)?.count, 5)
  })

  it('do not come back where they were replaced by what is there, all or in part', () => {
    const joined = segmentOf(one.summary, two.events, three.events)
    assert.deepEqual(chainOf(chains([kept(one), kept(joined), kept(two, false), kept(three, false)])), [
      [1, 4],
      [5, 8],
    ])
    const thin = thinned(two, 6)
    assert.deepEqual(chainOf(chains([kept(one), kept(thin), kept(two, false), kept(three)])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.equal(chains([kept(one), kept(thin), kept(two, false)]).after(endOf(one.summary))?.summary.removal?.what, 'thinned')
    const emptied = chains([
      kept(one),
      { summary: hole(two, 'pruned'), frames: undefined, isCurrent: true },
      kept(joined, false),
    ])
    assert.deepEqual(
      chainOf(emptied),
      [
        [1, 4],
        [5, 3],
      ],
      'one that reaches into what was pruned',
    )
    assert.deepEqual(
      chainOf(chains([kept(one), kept(two), kept(joined, false)])),
      [
        [1, 4],
        [5, 8],
      ],
      'but one that holds more',
    )
    assert.deepEqual(chainOf(chains([kept(one, false), kept(two, false), kept(three, false)])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    // Two that stand side by side have replaced what covers both.
    assert.deepEqual(chainOf(chains([kept(one), kept(two), kept(three), kept(joined, false)])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.deepEqual(chainOf(chains([kept(one), kept(three), kept(joined, false)])), [
      [1, 4],
      [5, 8],
    ])
  })

  it('do not stand by their own word against what follows them, or against the mark', () => {
    const changed = segmentOf(one.summary, [...two.events].reverse())
    const byWord = { ...kept(changed), isByOwnWord: true }
    const good = { ...kept(two), isByOwnWord: true }
    assert.deepEqual(chainOf(chains([kept(one), byWord, kept(three)])), [[1, 4]])
    assert.equal(chains([kept(one), byWord, kept(three)]).nextAfter(4)?.first, 8)
    assert.deepEqual(chainOf(chains([kept(one), byWord], two.summary)), [[1, 4]])
    assert.deepEqual(chainOf(chains([kept(one), good, kept(three)])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.deepEqual(chainOf(chains([kept(one), good], two.summary)), [
      [1, 4],
      [5, 3],
    ])
    assert.deepEqual(
      chainOf(chains([kept(one), byWord], three.summary)),
      [
        [1, 4],
        [5, 3],
      ],
      'where nothing is known of its end',
    )
    assert.deepEqual(chainOf(chains([kept(one), byWord])), [
      [1, 4],
      [5, 3],
    ])
    assert.deepEqual(
      chainOf(chains([kept(one), kept(changed), kept(three)])),
      [
        [1, 4],
        [5, 3],
      ],
      'a summary says the same of this one',
    )
  })

  it('come from no log of another node, nor does what hangs together with it', () => {
    const theirs = segmentOf(undefined, [secret(EVE, 1), ...gossip(EVE, 1, 6)])
    const more = segmentOf(theirs.summary, gossip(EVE, 7, 9))
    assert.deepEqual(chainOf(chains([kept(theirs), kept(more), ...log.map((each) => kept(each))])), [
      [1, 4],
      [5, 3],
      [8, 5],
    ])
    assert.deepEqual(chainOf(chains([kept(theirs), kept(more)])), [])
    assert.equal(chains([kept(theirs), kept(more)]).nextAfter(0), undefined)
  })

  it('are of two histories that which is trusted more', () => {
    const other = logOf(EVE, 20, 3)
    const rows = (mark?: SegmentSummary) =>
      chainOf(
        chains(
          [...other, ...log].map((each) => kept(each)),
          mark,
        ),
      )
    assert.deepEqual(
      rows(),
      [
        [1, 20],
        [21, 3],
      ],
      'the larger one',
    )
    assert.deepEqual(
      rows(three.summary),
      [
        [1, 4],
        [5, 3],
        [8, 5],
      ],
      'the one that the head file knows',
    )
    assert.deepEqual(
      rows(two.summary),
      [
        [1, 4],
        [5, 3],
        [8, 5],
      ],
      'wherever it meets it',
    )
    const mine = segmentOf(undefined, [secret(ME, 1), ...gossip(BOB, 1, 2)])
    const trusted = (mark?: SegmentSummary) =>
      chainOf(
        chains(
          [...other, mine].map((each) => kept(each)),
          mark,
        ),
      )
    assert.deepEqual(trusted(), [[1, 3]], 'the one with private events of this node')
    assert.deepEqual(
      trusted(other[0]?.summary),
      [
        [1, 20],
        [21, 3],
      ],
      'and before that the one that the head file knows',
    )
  })

  it('are of a history that nothing ties to this log only where it is current, or nothing better is there', () => {
    const mine = segmentOf(undefined, [secret(ME, 1), ...gossip(BOB, 1, 3)])
    // Behind a gap.
    const [, , apart] = logOf(EVE, 6, 6, 4) as [Made, Made, Made]
    const next = (isCurrent: boolean, first = mine) => chains([kept(first), kept(apart, isCurrent)]).nextAfter(4)?.first
    assert.equal(next(true), 13)
    assert.equal(next(false), undefined)
    assert.equal(next(false, one), 13, 'nothing of them is trusted')
  })

  it('do not stand where others do that are trusted more', () => {
    const mine = segmentOf(undefined, [secret(ME, 1), ...gossip(BOB, 1, 9)])
    const [first, second, third] = logOf(EVE, 5, 6, 4) as [Made, Made, Made]
    const nexts = (...others: readonly Made[]) => chains([mine, ...others].map((each) => kept(each))).nextAfter(0)?.first
    assert.equal(nexts(second), undefined, 'from 6 to 11, where 1 to 10 are taken')
    assert.equal(nexts(third), 12, 'behind it')
    assert.equal(nexts(first), undefined)
    const touching = segmentOf({ first: 1, count: 10, after: new Uint8Array(32).fill(9) }, gossip(EVE, 1, 2))
    assert.equal(nexts(touching), 11, 'right behind it')
    // Smaller than both of the others, behind one of them and where the other stands.
    const [, , , , last] = logOf(EVE, 5, 6, 4, 1, 3) as [Made, Made, Made, Made, Made]
    const beside = segmentOf({ first: 1, count: 17, after: new Uint8Array(32).fill(9) }, gossip(BOB, 1, 1))
    assert.deepEqual(chains([mine, last, beside].map((each) => kept(each))).nextAfter(10)?.count, 3)
  })

  it('tell whose they are by private events alone', () => {
    assert.equal(isForeign(one.summary, ME.id), false)
    assert.equal(isForeign(segmentOf(undefined, [secret(ME, 1)]).summary, ME.id), false)
    assert.equal(isForeign(segmentOf(undefined, [...gossip(ME, 1, 2), secret(EVE, 1)]).summary, ME.id), true)
    assert.equal(eventsOf(three.summary), 5)
    assert.equal(eventsOf(segmentOf(undefined, [secret(ME, 1), ...gossip(BOB, 1, 3)]).summary), 4)
    assert.equal(eventsOf(hole(one, 'lost')), 0)
  })
})
