import assert from 'node:assert/strict'
import { type FoundSegment, LogAudit } from '../../../src/events/damage/verify-log.ts'
import { toHex } from '../../../src/events/index.ts'
import { NO_KINDS, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { chainDigest } from '../../../src/events/segments/segment-value.level.ts'
import { BOB, EVE, gossip, logOf, type Made, hole as segmentHole, segmentOf, thinned } from './segments-scene.ts'

const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const hole = (
  first: number,
  count: number,
  what: 'pruned' | 'lost',
  before: Uint8Array,
  after: Uint8Array,
): SegmentSummary => ({
  ...{ first, count, kinds: NO_KINDS, lamportMin: 1, lamportMax: 1, before, after, runs: [] },
  removal: { what, content: digest(0), known: [] },
})

describe('the audit of a log', () => {
  const audit = (mark: { seq: number; digest: string }, ...summaries: SegmentSummary[]) => {
    const checker = new LogAudit(chainDigest, mark, false)
    for (const summary of summaries) checker.add({ first: summary.first, summary, frames: undefined, preface: undefined })
    return checker.finish({ latest: mark, durable: mark, clean: true, boot: null }, null, [], 0)
  }

  it('follows the chain over what was pruned, also where the log ends with it', () => {
    const verdict = audit({ seq: 3, digest: toHex(digest(1)) }, hole(1, 3, 'pruned', digest(0), digest(1)))
    assert.deepEqual([verdict.ranges, verdict.pruned, verdict.intact], [[], 3, true])
    assert.equal(audit({ seq: 3, digest: toHex(digest(2)) }, hole(1, 3, 'pruned', digest(0), digest(1))).intact, false)
  })

  it('names a hole that does not begin where the one before ends, and one that is missing', () => {
    const mark = { seq: 5, digest: toHex(digest(3)) }
    const first = hole(1, 3, 'lost', digest(0), digest(1))
    assert.deepEqual(audit(mark, first, hole(4, 2, 'lost', digest(1), digest(3))).holes, [{ from: 1, to: 5, what: 'lost' }])
    assert.deepEqual(audit(mark, first, hole(4, 2, 'pruned', digest(2), digest(3))).ranges, [
      { from: 4, to: 5, what: 'altered' },
    ])
    assert.deepEqual(audit(mark, first, hole(5, 1, 'pruned', digest(2), digest(3))).ranges, [
      { from: 4, to: 4, what: 'missing' },
    ])
  })
})

describe('the audit of segments', () => {
  const log = logOf(BOB, 4, 3, 5)
  const [one, two, three] = log as [Made, Made, Made]
  const end = { seq: 12, digest: toHex(three.summary.after) }
  type Mark = typeof end
  const recordOf = (mark: Mark) => ({ latest: mark, durable: mark, clean: true, boot: null })
  const found = ({ first, summary, frames, preface }: Made, other: Partial<FoundSegment> = {}): FoundSegment => ({
    ...{ first, summary, frames, preface },
    ...other,
  })
  function audited(
    segments: readonly FoundSegment[],
    { mark = end as Mark | null, isRepaired = false, problems = [] as string[], forged = [] as number[] } = {},
  ) {
    const checker = new LogAudit(chainDigest, mark ?? undefined, isRepaired)
    for (const each of segments) checker.add(each)
    for (const seq of forged) checker.forged(seq)
    return checker.finish(mark === null ? undefined : recordOf(mark), null, problems, 7)
  }
  const rangesOf = (segments: readonly FoundSegment[], options: Parameters<typeof audited>[1] = {}) =>
    audited(segments, options).ranges.map(({ from, to, what }) => [from, to, what])
  const whole = log.map((made) => found(made))
  const changed = (made: Made): Uint8Array => {
    const frames = Uint8Array.from(made.frames)
    // Of the last signature, so that it can be read still.
    frames[frames.length - 1] = (frames[frames.length - 1] ?? 0) ^ 1
    return frames
  }

  it('finds nothing wrong in what is whole', () => {
    assert.deepEqual(audited(whole), {
      ...{ intact: true, events: 12, segments: 3, headDigest: end.digest, ranges: [], holes: [], pruned: 0 },
      ...{ problems: [], signaturesChecked: 7 },
    })
    const empty = audited([], { mark: { seq: 0, digest: '00'.repeat(32) } })
    assert.deepEqual([empty.intact, empty.events, empty.headDigest], [true, 0, '00'.repeat(32)])
    assert.deepEqual(rangesOf([], { mark: { seq: 0, digest: '01'.repeat(32) } }), [[1, 0, 'altered']])
  })

  it('meets the mark at the end of any commit, and names all up to it where it does not', () => {
    const joined = segmentOf(one.summary, two.events, three.events)
    const within = { seq: 7, digest: toHex(two.summary.after) }
    assert.deepEqual(rangesOf([found(one), found(joined)], { mark: within }), [])
    assert.deepEqual(rangesOf(whole, { mark: within }), [])
    assert.deepEqual(rangesOf(whole, { mark: { ...within, seq: 6 } }), [[1, 6, 'altered']])
    assert.deepEqual(rangesOf(whole, { mark: { ...end, digest: 'ab'.repeat(32) } }), [[1, 12, 'altered']])
    assert.deepEqual(rangesOf(whole, { mark: { ...end, seq: 14 } }), [[13, 14, 'missing']])
    assert.deepEqual(rangesOf(whole, { mark: null }), [[1, 12, 'unproven']])
  })

  it('names what is missing, and goes on behind it', () => {
    assert.deepEqual(rangesOf([found(one), found(three)]), [[5, 7, 'missing']])
    assert.deepEqual(rangesOf([found(two), found(three)]), [[1, 4, 'missing']])
    assert.deepEqual(rangesOf([found(one), found(two, { frames: undefined }), found(three)]), [[5, 7, 'missing']])
    assert.deepEqual(rangesOf([found(one), found(two, { frames: null, preface: undefined }), found(three)]), [
      [5, 7, 'altered'],
    ])
    assert.deepEqual(rangesOf([found(three)]), [[1, 7, 'missing']])
  })

  it('names what stands twice, and passes over it after a repair as far as it is there', () => {
    const inside = segmentOf(one.summary, two.events.slice(0, 2))
    const beyond = segmentOf({ ...one.summary, count: 5 }, gossip(EVE, 1, 4))
    assert.deepEqual(rangesOf([found(one), found(two), found(inside, { first: 6 }), found(three)]), [[6, 7, 'reordered']])
    assert.deepEqual(rangesOf([found(one), found(two), found(inside, { first: 6 }), found(three)], { isRepaired: true }), [])
    assert.deepEqual(rangesOf([found(one), found(two), found(beyond), found(three)], { isRepaired: true }), [
      [6, 9, 'reordered'],
    ])
  })

  it('names a segment of which nobody can tell how long it is, up to the next or the mark', () => {
    const nothing = { summary: undefined, frames: null, preface: undefined }
    assert.deepEqual(rangesOf([found(one), found(two, nothing), found(three)]), [[5, 7, 'altered']])
    assert.deepEqual(rangesOf([found(one), found(two), found(three, nothing)]), [[8, 12, 'altered']])
    assert.deepEqual(rangesOf([found(one), found(two), found(three, nothing)], { mark: null }), [
      [1, 8, 'unproven'],
      [8, 8, 'altered'],
    ])
    const cut = found(two, { frames: two.frames.subarray(0, -1), summary: undefined })
    assert.deepEqual(rangesOf([found(one), cut, found(three)]), [[5, 7, 'altered']])
    assert.deepEqual(rangesOf([found(one), found(two, { frames: new Uint8Array(), summary: undefined }), found(three)]), [
      [5, 7, 'altered'],
    ])
  })

  it('names a segment without its summary: by its own word it is whole, or it is not', () => {
    const alone = audited([found(one), found(two, { summary: undefined }), found(three)])
    assert.deepEqual(alone.ranges, [{ from: 5, to: 7, what: 'unproven' }])
    assert.equal(alone.events, 12)
    assert.deepEqual(rangesOf([found(one), found(two, { summary: undefined, preface: undefined }), found(three)]), [
      [5, 7, 'altered'],
    ])
  })

  it('tells what was moved from what was changed', () => {
    const bad = found(two, { frames: changed(two) })
    assert.deepEqual(rangesOf([found(one), bad, found(three)]), [[5, 7, 'altered']])
    // Of as many events, each in the place of the other.
    const [first, second, third] = logOf(BOB, 3, 3, 3) as [Made, Made, Made]
    const mark = { seq: 9, digest: toHex(third.summary.after) }
    const swapped = [found(first), found(second, { frames: third.frames }), found(third, { frames: second.frames })]
    assert.deepEqual(rangesOf(swapped, { mark }), [[4, 9, 'reordered']])
    assert.deepEqual(
      rangesOf([found(first), found(second, { frames: third.frames }), found(third)], { mark }),
      [[4, 6, 'altered']],
      'a copy of another',
    )
  })

  it('looks for moved segments among 64, and calls more of them altered', () => {
    const one_ = logOf(BOB, ...Array.from({ length: 67 }, () => 1))
    const mark = { seq: 67, digest: toHex(one_.at(-1)?.summary.after ?? new Uint8Array()) }
    const whats = (bad: number) => {
      const segments = one_.map((made, index) => found(made, index > 1 && index <= bad ? { frames: changed(made) } : {}))
      // The first two have changed places.
      segments[0] = found(one_[0] as Made, { frames: one_[1]?.frames as Uint8Array })
      segments[1] = found(one_[1] as Made, { frames: one_[0]?.frames as Uint8Array })
      return rangesOf(segments, { mark })
    }
    assert.deepEqual(whats(63), [
      [1, 2, 'reordered'],
      [3, 64, 'altered'],
    ])
    assert.deepEqual(whats(64), [[1, 65, 'altered']])
  })

  it('names a segment of which its summary or its preface says something else', () => {
    for (const other of [{ lamportMax: 99 }, { lamportMin: 1 }, { runs: [] }, { kinds: { low: 1, high: 0 } }]) {
      const lying = { ...two.summary, ...other }
      assert.deepEqual(
        rangesOf([found(one), found(two, { summary: lying }), found(three)]),
        [[5, 7, 'altered']],
        Object.keys(other)[0],
      )
    }
    const elsewhere = { before: new Uint8Array(32).fill(9) }
    assert.deepEqual(rangesOf([found(one), found(two, { preface: elsewhere }), found(three)]), [[5, 7, 'altered']])
    assert.deepEqual(rangesOf([found(one), found(two, { preface: { summary: three.summary } }), found(three)]), [
      [5, 7, 'altered'],
    ])
    assert.deepEqual(rangesOf([found(one), found(two, { preface: { summary: two.summary } }), found(three)]), [])
    assert.deepEqual(rangesOf([found(one), found(two, { preface: undefined }), found(three)]), [])
  })

  it('counts what was pruned of a segment, and names what is changed of the rest', () => {
    const thin = thinned(two, 6)
    const left = { ...two, ...thin }
    const verdict = audited([found(one), found(left), found(three)])
    assert.deepEqual([verdict.ranges, verdict.events, verdict.pruned, verdict.holes], [[], 11, 1, []])
    const damaged = (other: Partial<FoundSegment>) => rangesOf([found(one), found(left, other), found(three)])
    assert.deepEqual(damaged({ frames: changed(left) }), [[5, 7, 'altered']])
    assert.deepEqual(damaged({ frames: two.frames }), [[5, 7, 'altered']])
    assert.deepEqual(damaged({ summary: { ...left.summary, lamportMax: 5 } }), [[5, 7, 'altered']])
    assert.deepEqual(damaged({ summary: { ...left.summary, lamportMin: 6 } }), [[5, 7, 'altered']])
    assert.deepEqual(damaged({ summary: { ...left.summary, before: new Uint8Array(32) } }), [[5, 7, 'altered']])
    const own = damaged({ summary: undefined, preface: { summary: left.summary } })
    assert.deepEqual(own, [[5, 7, 'unproven']])
    const mark = { seq: 7, digest: toHex(two.summary.after) }
    assert.deepEqual(rangesOf([found(one), found(left), found(three)], { mark }), [])
    assert.deepEqual(
      rangesOf([found(one), found(left), found(three)], { mark: { ...mark, seq: 6 } }),
      [[1, 6, 'altered']],
      'of no place within it anything is known',
    )
  })

  it('knows of each event that was torn out, side by side as one hole', () => {
    const torn = (...gone: readonly number[]) => {
      const left = thinned(three, ...gone)
      const removal = { ...(left.summary.removal ?? assert.fail()), what: 'torn' as const }
      return found({ ...three, ...left, summary: { ...left.summary, removal } })
    }
    const verdict = audited([found(one), found(two), torn(8, 9, 11)])
    assert.deepEqual([verdict.ranges, verdict.events, verdict.pruned], [[], 9, 0])
    assert.deepEqual(verdict.holes, [
      { from: 8, to: 9, what: 'lost' },
      { from: 11, to: 11, what: 'lost' },
    ])
  })

  it('joins holes of one kind that stand side by side', () => {
    const gone = (made: Made, what: 'pruned' | 'lost') =>
      found(made, { summary: segmentHole(made, what), frames: undefined, preface: undefined })
    const verdict = audited([gone(one, 'pruned'), gone(two, 'pruned'), gone(three, 'lost')])
    assert.deepEqual([verdict.ranges, verdict.pruned, verdict.events, verdict.segments], [[], 7, 0, 0])
    assert.deepEqual(verdict.holes, [
      { from: 1, to: 7, what: 'pruned' },
      { from: 8, to: 12, what: 'lost' },
    ])
  })

  it('names events that are forged, beside one another as one range', () => {
    assert.deepEqual(rangesOf(whole, { forged: [9, 3, 4, 3, 5] }), [
      [3, 5, 'altered'],
      [9, 9, 'altered'],
    ])
  })

  it('believes nothing where a file is damaged of which no event is known to be', () => {
    const verdict = audited(whole, { problems: ['a file is missing'] })
    assert.deepEqual([verdict.ranges, verdict.problems], [[{ from: 1, to: 12, what: 'unproven' }], ['a file is missing']])
    assert.deepEqual(rangesOf([], { mark: { seq: 0, digest: '00'.repeat(32) }, problems: ['x'] }), [[1, 1, 'unproven']])
    assert.deepEqual(rangesOf([found(one), found(three)], { problems: ['x'] }), [[5, 7, 'missing']])
    // A mark that is not met says nothing new where damage is named.
    assert.deepEqual(rangesOf([found(one), found(three)], { mark: { ...end, digest: 'ab'.repeat(32) } }), [[5, 7, 'missing']])
  })
})
