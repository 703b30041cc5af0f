import assert from 'node:assert/strict'
import { eventLine, verifyText } from '../../../src/cli/render/events.ts'
import { explanationText, replayText, scoreTable } from '../../../src/cli/render/reputation.ts'
import { explainedText, rebuildText, searchText } from '../../../src/cli/render/search.ts'
import { publishText, refusalText, torrentTable } from '../../../src/cli/render/torrents.ts'
import { eventRow, explanation, HASH, NODE_A, NODE_B, published, searchHit, searchResult, torrentRow } from './rows.ts'

const EVIL = 'x\u001b[2J\u202ey\nz'
const EVIL_SHOWN = 'xy z'

describe('answers as text', () => {
  it('numbers search hits as --get takes them, with the facts to choose by', () => {
    assert.deepEqual(searchText(searchResult()).split('\n'), [
      '  1  Songs of the sea  [folk, music]',
      `     48.0 MB in 12 files, 2 seeders, published by ${NODE_A.slice(0, 16)} at 1970-01-01 00:00:01.000Z`,
      `     magnet:?xt=urn:btih:${HASH}`,
      '1 hit in 12 ms',
    ])
  })

  it('says when nothing was found, when there is more, and when nodes did not answer', () => {
    assert.match(searchText(searchResult({ hits: [] })), /^nothing found for "songs"\n0 hits/)
    const corrected = searchText(searchResult({ query: 'sogns', corrected: 'songs\x1b' }))
    assert.match(corrected, /^nothing found for "sogns"; these are hits for "songs[^\x1b]*"\n {2}1 {2}/)
    assert.match(searchText(searchResult({ truncated: true, cursor: 'AR' })), /or go on with the "cursor" of --json/)
    assert.match(searchText(searchResult({ truncated: true })), /there are more/)
    assert.match(
      searchText(searchResult({ failed: [{ node: NODE_A, reason: 'timeout' }] })),
      /1 index node gave no answer that could be used/,
    )
  })

  it('explains who was asked for each word, what came of it, and whom it asks last', () => {
    const row = { reason: null, hits: 0, lacks: 0, elapsedMs: 11 }
    const asked = [
      { ...row, node: NODE_A, outcome: 'answered' as const, lacks: 2 },
      { ...row, node: NODE_B, outcome: 'silent' as const, reason: `no answer ${EVIL}` },
    ]
    const parts = [
      { keyword: 'songs', partition: 7, complete: true, cut: null, asked },
      {
        keyword: null,
        partition: null,
        complete: false,
        cut: { kept: 10_000, known: 79_362 },
        asked: [{ ...row, node: NODE_B, outcome: 'not-level' as const }],
      },
    ]
    const result = searchResult({ complete: false, parts, charged: [{ node: NODE_A, reason: 'it said that it has nothing' }] })
    const text = explainedText(result)
    assert.match(text, /"songs" \(partition 7\): complete\nINDEX NODE/)
    assert.match(text, /answered +0 +2 +11 ms/)
    assert.match(text, /silent +0 +0 +11 ms +no answer xy z/)
    assert.match(text, /what one node holds: not complete; its owners keep the best 10,000 of about 79,362 known/)
    assert.match(text, /not level yet/)
    assert.match(text, /is asked last from now on: it said that it has nothing\n\nthe answer is not complete$/)
    assert.doesNotMatch(text, /\u001b/)
    assert.match(
      searchText(result),
      /there may be others, as index nodes that have just come may lack.*; 1 index node said what/,
    )
    const silent = searchResult({
      complete: false,
      parts: [{ keyword: 'songs', partition: 7, complete: false, cut: null, asked }],
    })
    assert.match(searchText(silent), /there may be others, as not everybody answered/)
    const nobody = searchResult({
      complete: false,
      parts: [{ keyword: 'songs', partition: 7, complete: false, cut: null, asked: [] }],
    })
    assert.match(searchText(nobody), /there may be others, as not everybody answered/)
    assert.doesNotMatch(searchText(searchResult({ parts: [] })), /there may be others/)
  })

  it('says how many seeders are proven where that is not all of them', () => {
    const hits = [searchHit({ seeders: 402, seedersProven: 4 }), searchHit({ seeders: 1, seedersProven: 1 })]
    assert.match(searchText(searchResult({ hits })), /, 402 seeders \(4 proven\), published/)
    assert.match(searchText(searchResult({ hits })), /, 1 seeder, published/)
  })

  it('says when a seeder was seen last where none is there any more, and how else it is known', () => {
    const text = (more: object) => searchText(searchResult({ hits: [searchHit({ seeders: 0, seedersProven: 0, ...more })] }))
    assert.match(
      text({ lastSeenAt: 1_800_000_000_000 }),
      /, no seeder, the last one seen at 2027-01-15 08:00:00\.000Z, published/,
    )
    assert.match(text({}), /, no seeder, published/)
    const there = searchResult({ hits: [searchHit({ seeders: 1, seedersProven: 1, lastSeenAt: 1_800_000_000_000 })] })
    assert.match(searchText(there), /, 1 seeder, published/)
  })

  it('calls a publication pending as long as one owner of a keyword stands alone for it', () => {
    const held = { acknowledgedBy: [NODE_A, NODE_B], partitions: 2, partitionsHeld: 2, acknowledged: true, pending: 0 }
    assert.match(publishText(published(held)), /index +2 index nodes hold the entry$/)
    assert.match(publishText(published({ ...held, pending: 1 })), /2 index nodes hold the entry; 1 index node to go, tried/)
    const alone = { acknowledgedBy: [NODE_A], partitionsHeld: 1, acknowledged: false, pending: 2 }
    assert.match(
      publishText(published({ ...held, ...alone })),
      /index +pending: 1 index node holds the entry, and two owners do for 1 of 2 keywords; 2 index nodes to go, tried again/,
    )
  })

  it('says who refused a publication and why, once for each reason, and not that it is pending', () => {
    const refused = [
      { node: NODE_A, code: 'not-admitted' as const, reason: 'ask the owner' },
      { node: NODE_B, code: 'not-admitted' as const, reason: 'ask the owner' },
    ]
    const text = publishText(published({ pending: 0, refused }))
    assert.match(text, /index +nobody holds the entry\n/)
    assert.match(text, /refused +2 index nodes \(.*, .*\): one publication; ask the owner$/)
    assert.match(refusalText(refused.map((row) => ({ ...row, publications: 3 }))), /up to 3 publications; ask the owner\n\n$/)
    assert.equal(refusalText([]), '')
  })

  it('shows no stranger control characters in titles, tags, names, problems, events or evidence', () => {
    const texts = [
      searchText(searchResult({ query: EVIL, hits: [searchHit({ title: EVIL, tags: [EVIL], magnet: EVIL })] })),
      torrentTable([torrentRow({ name: EVIL, state: 'failed', problem: EVIL })]),
      eventLine(eventRow({ kind: EVIL, event: { kind: EVIL, reason: EVIL, list: [EVIL] } as never })),
      explanationText(explanation({ policy: EVIL, terms: [{ name: EVIL, value: 1, because: EVIL }] })),
      scoreTable([{ peer: NODE_A, score: 0, standing: 'good', ownGood: 0, ownBad: 0, reporters: 0, because: EVIL }]),
    ]
    for (const text of texts) {
      assert.doesNotMatch(text, /\u001b|\u202e|\r/)
      assert.ok(text.includes(EVIL_SHOWN), text)
    }
  })

  it('tells an event in one line with its fields', () => {
    assert.equal(
      eventLine(eventRow()),
      `     7      42  1970-01-01 00:00:00.000Z  ${NODE_A.slice(0, 16)}  node.stopped  reason=asked`,
    )
  })

  it('cuts long fields of an event', () => {
    const line = eventLine(eventRow({ event: { kind: 'x', torrentFile: 'A'.repeat(5000) } as never }))
    assert.ok(line.length < 200, line)
  })

  it('tells a ban as a story that ends with the events that decided', () => {
    const text = explanationText(explanation())
    const parts = [
      `${NODE_B} is banned, with a score of -210 under policy seed-v1.`,
      /bad pieces +-220 +22 bad pieces seen here/,
      /good pieces +\+10 /,
      /\* {5}12 {2}1970-01-01 00:00:00\.000Z {2}a{16}: piece 4 of c12f… did not match .* -> score -210, banned/,
      /Without event 12 it would not be banned\.$/,
    ]
    for (const part of parts) assert.match(text, typeof part === 'string' ? new RegExp(part.replaceAll('.', '\\.')) : part)
  })

  it('shows of a long story what decided and the last 20 events, says how many it left out, and shows all when asked', () => {
    const [one] = explanation().verdicts
    assert.ok(one)
    const verdicts = Array.from({ length: 100 }, (_, index) => ({ ...one, seq: index + 1, decisive: index === 9 }))
    const story = explanation({ verdicts, decisive: [10] })
    const shown = (text: string) => text.split('\n').filter((line) => line.includes('piece 4 of')).length
    const short = explanationText(story)
    assert.equal(shown(short), 21)
    assert.match(short, /\.\.\. 9 events more \(--all shows them\)\n\* {5}10 /)
    assert.match(short, /\.\.\. 70 events more \(--all shows them\)\n {6}81 /)
    assert.equal(shown(explanationText(story, { all: true })), 100)
  })

  it('does not speak of a ban where there is none', () => {
    const text = explanationText(explanation({ standing: 'good', score: 5, verdicts: [], decisive: [] }))
    assert.match(text, /is in good standing, with a score of 5/)
    assert.match(text, /No event about it/)
    assert.doesNotMatch(text, /Without/)
  })

  it('says whether a replay came to the live state', () => {
    const replay = {
      policy: 'p',
      as: NODE_A,
      events: 1000,
      elapsedMs: 5,
      scores: [],
      changed: [],
      liveDigest: 'd',
      replayedDigest: 'd',
    }
    assert.match(replayText(replay, NODE_A), /digest d \(the same as live\)/)
    assert.match(replayText({ ...replay, replayedDigest: 'e' }, NODE_A), /digest e \(live: d\)/)
    const why = { liveBecause: 'was', replayedBecause: 'is not' }
    const changed = [{ peer: NODE_B, live: 'banned' as const, replayed: 'good' as const, ...why }]
    assert.match(replayText({ ...replay, changed }, NODE_A), /b{64} +banned +good +was +is not/)
    assert.doesNotMatch(replayText(replay, NODE_A), /would judge/)
    assert.match(replayText(replay, NODE_B), /^as a{16} would judge/)
  })

  it('marks a rebuild whose digest differs', () => {
    const projection = { name: 'keyword-index', events: 10, elapsedMs: 3, digestBefore: 'a', digestAfter: 'a' }
    assert.match(rebuildText({ projections: [projection] }), /digest after +a \(the same\)/)
    assert.match(rebuildText({ projections: [{ ...projection, digestAfter: 'b' }] }), /digest after +b \(DIFFERENT\)/)
  })

  it('names each damaged range of a log', () => {
    const result = {
      intact: false,
      events: 9,
      segments: 1,
      headDigest: 'd',
      signaturesChecked: 9,
      problems: [],
      holes: [],
      pruned: 0,
    }
    const text = verifyText({
      ...result,
      ranges: [
        { from: 2, to: 4, what: 'missing' },
        { from: 7, to: 7, what: 'altered' },
      ],
    } as never)
    assert.deepEqual(text.split('\n'), [
      'damaged:',
      '  events 2 to 4 missing',
      '  event 7 altered',
      'stop the node and run `p2pt log repair`: it keeps the damaged files and saves every event that is still whole',
    ])
    const beside = verifyText({ ...result, ranges: [], problems: ['the key is of another node'] } as never)
    assert.equal(beside, 'not to be used as it is:\n  the key is of another node')
    assert.match(
      verifyText({ ...result, intact: true, ranges: [] } as never),
      /^intact: 9 events in 1 segment, 9 signatures checked/,
    )
  })
})

describe('the table of torrents', () => {
  it('says that peers cannot be reached, and what helps', () => {
    const text = torrentTable([torrentRow({ unreached: 2 })])
    assert.match(text, /2 peers offer it and cannot be reached, as both sides are behind routers; forward the TCP port/)
    assert.doesNotMatch(torrentTable([torrentRow()]), /reached/)
  })
})
