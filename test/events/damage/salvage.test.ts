import assert from 'node:assert/strict'
import { coalesce, Salvage } from '../../../src/events/damage/salvage.ts'
import { toHex } from '../../../src/events/index.ts'
import { signedEventsOf } from '../../../src/events/segments/segment.ts'
import { NO_KINDS, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { chainDigest } from '../../../src/events/segments/segment-value.level.ts'
import { verifySignature } from '../test-network.ts'
import { BOB, EVE, gossip, hole, logOf, type Made, ME, secret, segmentOf, thinned } from './segments-scene.ts'

const [ada, bob] = [ME.id, BOB.id].sort() as [typeof ME.id, typeof ME.id]
const run = (authorSeq: number, count: number, author = ada, stream: 'gossip' | 'index' = 'gossip') => ({
  ...{ author, stream, authorSeq, count },
})
const known = (authorSeq: number, count: number, signer = BOB) => run(authorSeq, count, signer.id)

describe('what is known of lost events', () => {
  it('becomes one run where runs touch or overlap, and never loses the longer of two', () => {
    assert.deepEqual(coalesce([run(4, 3), run(1, 3)]), [run(1, 6)])
    assert.deepEqual(coalesce([run(1, 9), run(2, 3)]), [run(1, 9)])
    assert.deepEqual(coalesce([run(1, 3), run(5, 3)]), [run(1, 3), run(5, 3)])
    const apart = [run(1, 2), run(3, 2, ada, 'index'), run(3, 2, bob)]
    assert.deepEqual(coalesce(apart.toReversed()), apart)
    assert.deepEqual(coalesce([run(3, 2, ada, 'index'), run(1, 2)]), apart.slice(0, 2))
    const given = [run(1, 2), run(3, 2)]
    assert.deepEqual([coalesce(given), given], [[run(1, 4)], [run(1, 2), run(3, 2)]], 'what was given stays')
    assert.deepEqual(coalesce([]), [])
  })
})

describe('what is kept of a damaged log', () => {
  const isSigned = (event: { body: Uint8Array; signature: Uint8Array }, author: typeof ME.id): boolean =>
    verifySignature('event', event.body, event.signature, author)
  const tools = { chain: chainDigest, author: ME.id, isSigned }
  const source = (bytes: Uint8Array) => () => bytes
  const markOf = ({ first, count, after }: SegmentSummary) => ({ seq: first + count - 1, digest: toHex(after) })

  type Found = {
    summaries?: readonly SegmentSummary[]
    segments?: readonly (Pick<Made, 'first' | 'frames'> & Partial<Made>)[]
    raw?: readonly Uint8Array[]
    mark?: { seq: number; digest: string }
    /** Summaries that were replaced. */
    old?: readonly SegmentSummary[]
  }
  function salvaged({ summaries = [], segments = [], raw = [], mark, old = [] }: Found) {
    const salvage = new Salvage(tools)
    for (const summary of summaries) salvage.addSummary(summary, true)
    for (const summary of old) salvage.addSummary(summary, false)
    const proven = segments.map(({ first, frames, preface }) =>
      salvage.addSegment({ first, frames, preface, isCurrent: true }, source(frames)),
    )
    for (const bytes of raw) salvage.addRaw(source(bytes))
    const found = salvage.finish(mark)
    const rows = found.rows.map(({ summary, frames }) => [
      summary.first,
      summary.count,
      summary.removal?.what,
      frames !== undefined,
    ])
    return { ...found, proven, facts: rows }
  }
  const log = logOf(BOB, 4, 3, 5)
  const [one, two, three] = log as [Made, Made, Made]
  const all = log.map(({ summary }) => summary)
  const end = markOf(three.summary)
  const whole = { summaries: all, segments: log, mark: end }

  it('is all of it where nothing is wrong', () => {
    const { proven, facts, lost, end: reached, eventsKept, rows } = salvaged(whole)
    assert.deepEqual(proven, [true, true, true])
    assert.deepEqual(facts, [
      [1, 4, undefined, true],
      [5, 3, undefined, true],
      [8, 5, undefined, true],
    ])
    assert.deepEqual([lost, reached, eventsKept], [[], end, 12])
    assert.deepEqual(
      rows.map(({ summary }) => summary),
      all,
    )
    assert.deepEqual(
      rows.map(({ frames }) => frames?.()),
      log.map(({ frames }) => frames),
    )
    assert.deepEqual(salvaged({}), {
      rows: [],
      lost: [],
      end: { seq: 0, digest: '00'.repeat(32) },
      eventsKept: 0,
      proven: [],
      facts: [],
    })
    assert.deepEqual(salvaged({ summaries: all, segments: log }).end, end, 'also where nothing says how far it reached')
  })

  it('lacks a segment that is gone, and knows whose events they were by its summary', () => {
    const { facts, lost, rows, eventsKept } = salvaged({ ...whole, segments: [one, three] })
    assert.deepEqual(facts, [
      [1, 4, undefined, true],
      [5, 3, 'lost', false],
      [8, 5, undefined, true],
    ])
    assert.deepEqual(lost, [{ from: 5, to: 7, known: [known(5, 3)], unknown: 0 }])
    const row = rows[1]?.summary
    assert.deepEqual([row?.before, row?.after], [one.summary.after, three.summary.before])
    assert.deepEqual([row?.kinds, row?.runs, row?.removal?.content], [NO_KINDS, [], new Uint8Array(32)])
    assert.deepEqual([row?.lamportMin, row?.lamportMax, row?.removal?.known], [1, 7, [known(5, 3)]])
    assert.equal(eventsKept, 9)
  })

  it('knows of nobody where the summary is gone too, and leaves room for their stamps', () => {
    const { lost, rows } = salvaged({ ...whole, summaries: [one.summary, three.summary], segments: [one, three] })
    assert.deepEqual(lost, [{ from: 5, to: 7, known: [], unknown: 3 }])
    assert.equal(rows[1]?.summary.lamportMax, 4 + 3)
  })

  it('lacks its end, up to where it is known to have reached', () => {
    const { lost, end: reached, facts } = salvaged({ ...whole, segments: [one] })
    assert.deepEqual(lost, [{ from: 5, to: 12, known: [known(5, 8)], unknown: 0 }])
    assert.deepEqual([reached, facts.at(-1)], [end, [5, 8, 'lost', false]])
    const unmarked = salvaged({ summaries: all, segments: [one] })
    assert.deepEqual([unmarked.lost, unmarked.end.seq], [[], 4])
    const nothing = salvaged({ mark: end })
    assert.deepEqual(nothing.lost, [{ from: 1, to: 12, known: [], unknown: 12 }])
    assert.equal(nothing.rows[0]?.summary.lamportMax, 13)
    assert.deepEqual(salvaged({ ...whole, mark: markOf(two.summary) }).end, end, 'more than that is kept too')
  })

  it('lacks its beginning, and the segments that do not hang together with the others', () => {
    const { lost, facts } = salvaged({ ...whole, segments: [two, three] })
    assert.deepEqual([lost, facts.length], [[{ from: 1, to: 4, known: [known(1, 4)], unknown: 0 }], 3])
  })

  it('has no frames that nothing proves', () => {
    const changed = Uint8Array.from(two.frames)
    changed[20] = (changed[20] ?? 0) ^ 1
    // By its own word it stands there, and it leads nowhere: what is whole behind it is kept, and its single events.
    for (const mark of [end, undefined]) {
      const { lost, eventsKept } = salvaged({
        summaries: all,
        segments: [one, { ...two, frames: changed }, three],
        ...(mark && { mark }),
      })
      assert.deepEqual(lost, [{ from: 5, to: 5, known: [known(5, 1)], unknown: 0 }])
      assert.equal(eventsKept, 11)
    }
    const last = salvaged({ ...whole, segments: [one, { ...two, frames: changed }], mark: markOf(two.summary) })
    assert.deepEqual(last.lost, [{ from: 5, to: 5, known: [known(5, 1)], unknown: 0 }], 'at the end of the log too')
    const unproven = { first: 5, frames: changed }
    assert.deepEqual(salvaged({ ...whole, segments: [one, unproven, three] }).proven, [true, false, true])
    const cut = { ...two, frames: two.frames.subarray(0, -1) }
    assert.deepEqual(salvaged({ ...whole, segments: [cut] }).proven, [false])
    const salvage = new Salvage(tools)
    for (const frames of [null, undefined])
      assert.equal(
        salvage.addSegment({ first: 1, frames, preface: undefined, isCurrent: true }, source(new Uint8Array())),
        false,
      )
    assert.deepEqual(salvaged({ segments: [{ first: 1, frames: one.frames }] }).proven, [false], 'neither summary nor preface')
  })

  it('has a segment whose summary is gone by its own word, where its neighbours say the same', () => {
    const { proven, lost, rows } = salvaged({ ...whole, summaries: [one.summary, three.summary] })
    assert.deepEqual([proven, lost], [[true, true, true], []])
    assert.deepEqual(rows[1]?.summary, two.summary)
  })

  it('has a segment under another key, by the digest before it', () => {
    const { proven, lost } = salvaged({ ...whole, segments: [one, { ...two, first: 400 }, three] })
    assert.deepEqual([proven, lost], [[true, true, true], []])
  })

  it('mends a summary that says something wrong of its events', () => {
    const wrong = { ...two.summary, lamportMax: 1, runs: [] }
    const { proven, rows, lost } = salvaged({ ...whole, summaries: [one.summary, wrong, three.summary] })
    assert.deepEqual([proven, lost], [[true, true, true], []])
    assert.deepEqual(rows[1]?.summary, two.summary)
  })

  it('keeps what was pruned, and what is left beside it, as it was', () => {
    const thin = thinned(two, 6)
    const { facts, lost, eventsKept } = salvaged({
      ...whole,
      summaries: [hole(one, 'pruned'), thin.summary, three.summary],
      segments: [thin, three],
    })
    assert.deepEqual(facts, [
      [1, 4, 'pruned', false],
      [5, 3, 'thinned', true],
      [8, 5, undefined, true],
    ])
    assert.deepEqual([lost, eventsKept], [[], 7])
    const other = salvaged({ ...whole, summaries: [one.summary, thin.summary, three.summary], segments: [one, two, three] })
    assert.equal(other.proven[1], true, 'by its own word: an older copy that is whole')
    const altered = { ...thin.summary, lamportMax: 5 }
    assert.deepEqual(salvaged({ summaries: [altered], segments: [thin] }).proven, [false])
    const content = { ...thin.summary, removal: { ...(thin.summary.removal ?? assert.fail()), content: new Uint8Array(32) } }
    assert.deepEqual(salvaged({ summaries: [content], segments: [thin] }).proven, [false])
  })

  it('has single signed events of a segment that is damaged', () => {
    const damagedFrames = Uint8Array.from(two.frames)
    // A byte of the body of its second event.
    const at = Buffer.from(two.frames).indexOf(Buffer.from(two.events[1]?.body ?? []))
    damagedFrames[at + 60] = (damagedFrames[at + 60] ?? 0) ^ 1
    const { facts, lost, rows, eventsKept, end: reached } = salvaged({ ...whole, segments: [one, three], raw: [damagedFrames] })
    assert.deepEqual(facts[1], [5, 3, 'torn', true])
    assert.deepEqual(lost, [{ from: 6, to: 6, known: [known(6, 1)], unknown: 0 }])
    assert.deepEqual([eventsKept, reached], [11, end])
    const torn = rows[1] ?? assert.fail()
    const frames = torn.frames?.() ?? assert.fail()
    const left = [...signedEventsOf(frames, 0, 5)]
    assert.deepEqual(
      left.map(({ seq }) => seq),
      [5, 7],
    )
    assert.deepEqual(
      left.map(({ signature }) => Buffer.from(signature)),
      [0, 2].map((index) => Buffer.from(two.events[index]?.signature ?? [])),
    )
    const { removal, before, after, lamportMin, lamportMax, runs } = torn.summary
    assert.deepEqual(removal, { what: 'torn', content: chainDigest(new Uint8Array(), frames), known: [known(6, 1)] })
    assert.deepEqual([before, after, lamportMin, lamportMax], [two.summary.before, two.summary.after, 5, 7])
    assert.deepEqual(
      runs.map(({ authorSeq, seq, count }) => [authorSeq, seq, count]),
      [
        [5, 5, 1],
        [7, 7, 1],
      ],
    )
  })

  it('has events in whichever bytes they are found, each in its place', () => {
    const [first, second] = two.events.map(({ body, signature }) => Uint8Array.from([...body, ...signature]))
    const raw = [Uint8Array.from([9, 9, ...(second ?? [])]), Uint8Array.from([...(first ?? []), 9])]
    const { lost } = salvaged({ ...whole, segments: [one, three], raw })
    assert.deepEqual(lost, [{ from: 7, to: 7, known: [known(7, 1)], unknown: 0 }])
    const none = salvaged({ ...whole, segments: [one, three], raw: [new Uint8Array(500).fill(8)] })
    assert.deepEqual(none.lost, [{ from: 5, to: 7, known: [known(5, 3)], unknown: 0 }])
    const forged = two.events.map(({ body }) => Uint8Array.from([...body, ...new Uint8Array(64)]))
    assert.equal(salvaged({ ...whole, segments: [one, three], raw: forged }).lost.length, 1)
    // Without its summary nobody knows the place of an event.
    assert.equal(
      salvaged({ ...whole, summaries: [one.summary, three.summary], segments: [one, three], raw }).lost[0]?.unknown,
      3,
    )
  })

  it('names each stretch of a torn segment that is gone', () => {
    const bytes = three.events
      .filter((_, index) => index === 0 || index === 3)
      .map(({ body, signature }) => Uint8Array.from([...body, ...signature]))
    const { lost } = salvaged({ ...whole, segments: [one, two], raw: bytes })
    assert.deepEqual(lost, [
      { from: 9, to: 10, known: [known(9, 2)], unknown: 0 },
      { from: 12, to: 12, known: [known(12, 1)], unknown: 0 },
    ])
  })

  it('finds the events of small segments in the larger one that they were joined to', () => {
    const joined = segmentOf(one.summary, two.events, three.events)
    // The joined one is whole, and under a chain of its own: the small ones are not needed.
    const { lost, facts } = salvaged({
      summaries: [one.summary, joined.summary],
      old: [two.summary, three.summary],
      segments: [one, joined],
      mark: end,
    })
    assert.deepEqual(
      [lost, facts],
      [
        [],
        [
          [1, 4, undefined, true],
          [5, 8, undefined, true],
        ],
      ],
    )
  })

  it('takes an event from no log of another node', () => {
    const theirs = segmentOf(undefined, [secret(EVE, 1), ...gossip(EVE, 1, 3)])
    const { facts, lost } = salvaged({ summaries: [...all, theirs.summary], segments: [two, three, theirs], mark: end })
    assert.deepEqual(
      facts.map(([first]) => first),
      [1, 5, 8],
    )
    assert.deepEqual(lost, [{ from: 1, to: 4, known: [known(1, 4)], unknown: 0 }])
    const only = salvaged({ summaries: [theirs.summary], mark: markOf(theirs.summary) })
    assert.deepEqual(only.lost, [{ from: 1, to: 4, known: [], unknown: 4 }], 'nor what its summaries say')
  })

  it('believes the longest of the summaries that begin at one place, and none twice', () => {
    const joined = segmentOf(one.summary, two.events, three.events)
    const { lost } = salvaged({ summaries: [...all, joined.summary], segments: [one], mark: end })
    assert.deepEqual(lost, [{ from: 5, to: 12, known: [known(5, 8)], unknown: 0 }])
    const half = segmentOf(one.summary, two.events.slice(0, 1))
    const some = salvaged({ summaries: [one.summary, half.summary], segments: [one], mark: markOf(two.summary) })
    assert.deepEqual(some.lost, [{ from: 5, to: 7, known: [known(5, 1)], unknown: 2 }])
    assert.equal(some.rows[1]?.summary.lamportMax, 5 + 2)
  })
})
