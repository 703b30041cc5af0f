import assert from 'node:assert/strict'
import type { BadPiece, PeerId } from '../../../src/events/index.ts'
import { addressId } from '../../../src/events/index.ts'
import { judge, summary } from '../../../src/projections/reputation/index.ts'
import { KEPT_VERDICTS_MAX, KeptVerdicts, type Verdict } from '../../../src/roles/client/kept-verdicts.ts'
import { Verdicts } from '../../../src/roles/client/verdicts.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { OwnEventsGate } from '../../../src/roles/node/own-events-gate.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const peer = node('peer')
const torrent = hash('torrent')

describe('verdicts', () => {
  let own: SmallLog
  let notices: NoticeBoard
  let bans: string[]
  let thinIce: [PeerId, boolean][]
  let verdicts: Verdicts
  let gate: OwnEventsGate
  beforeEach(async () => {
    own = await openSmallLog()
    gate = new OwnEventsGate(own.log)
    bans = []
    thinIce = []
    notices = new NoticeBoard(own.time)
    verdicts = newVerdicts()
    own.log.onAppended((envelopes) => verdicts.onAppended(envelopes))
  })
  afterEach(() => own[Symbol.asyncDispose]())

  const newVerdicts = (): Verdicts => {
    const ledger = () => own.states.state('reputation')
    return new Verdicts({
      author: own.log.author,
      appender: gate,
      onWriteFailure: (listener) => own.log.onWriteFailure(listener),
      engine: {
        ban: (peer) => bans.push(`ban ${peer}`),
        unban: (peer) => bans.push(`unban ${peer}`),
        thinIce: (peer, on) => thinIce.push([peer, on]),
      },
      notices,
      standingOf(peer, moreBad) {
        const judgement = judge(ledger(), peer, { moreBad })
        return { standing: judgement.standing, score: judgement.score, because: summary(judgement) }
      },
      peers: () => ledger().subjects.keys(),
    })
  }
  const badPieces = (count: number): BadPiece[] => {
    const event = judged(peer, 0, count)
    return event.kind === 'piece.judged' ? [...event.bad] : []
  }
  const bad = (subject: PeerId, count: number) => verdicts.judged(torrent, subject, [], badPieces(count))
  const operator = (kind: 'operator.banned' | 'operator.unbanned') =>
    own.log.append([{ event: { kind, subject: peer, reason: 'because' } }])
  const codes = async (count: number): Promise<string[]> => {
    const found: string[] = []
    for await (const { code } of notices.follow(100)) if (found.push(code) === count) break
    return found
  }

  it('ban in the same turn in which the decisive piece is told, before the log has it', async () => {
    for (let piece = 0; piece < 20; piece++) void bad(peer, 1)
    assert.deepEqual(bans, [])
    const last = bad(peer, 1)
    assert.deepEqual(bans, [`ban ${peer}`])
    assert.equal(own.log.head, 0)
    await last
    assert.equal(own.log.head, 21)
    assert.deepEqual(bans, [`ban ${peer}`], 'once')
    assert.deepEqual(await codes(1), ['peer.banned'])
  })

  it('count a piece once, on its way to the log and in it', async () => {
    for (let round = 0; round < 4; round++) {
      await bad(peer, 5)
      assert.equal(judge(own.states.state('reputation'), peer).score, 100 - (round + 1) * 25)
      assert.deepEqual(bans, [])
    }
    // 20 are in the log; none is counted twice, so one more is the twenty-first.
    await bad(peer, 1)
    assert.deepEqual(bans, [`ban ${peer}`])
  })

  it('are gossiped of a key that was proven, and kept of an address', async () => {
    await bad(peer, 1)
    await bad(addressId('192.0.2.1'), 1)
    const streams: string[] = []
    for await (const { stream } of own.log.read()) streams.push(stream)
    assert.deepEqual(streams, ['gossip', 'local'])
  })

  it('follow the operator both ways, and are carried out again after a restart', async () => {
    await operator('operator.banned')
    await operator('operator.banned')
    await operator('operator.unbanned')
    assert.deepEqual(bans, [`ban ${peer}`, `unban ${peer}`])
    await bad(peer, 30)
    assert.deepEqual(bans.slice(2), [], 'the operator’s word holds')
    await operator('operator.banned')

    bans = []
    verdicts = newVerdicts()
    verdicts.restore()
    assert.deepEqual(bans, [`ban ${peer}`])
    await operator('operator.unbanned')
    assert.deepEqual(bans, [`ban ${peer}`, `unban ${peer}`])
  })

  it('of others never ban by themselves: they put on thin ice, and the first bad piece here bans', async () => {
    await using other = await openSmallLog(2)
    await using another = await openSmallLog(3)
    await using third = await openSmallLog(4)
    await using fourth = await openSmallLog(5)
    const reporters = [other, another, third, fourth]
    // Their words come to weigh something: they judged as we did, before us.
    for (let known = 0; known < 120; known++) {
      const subject = node(`known ${known}`)
      for (const reporter of reporters) await hears(own, reporter, judged(subject, 0, 30))
      await bad(subject, 30)
    }
    bans = []
    thinIce = []
    for (const reporter of reporters) await hears(own, reporter, judged(peer, 0, 100))
    const { score, standing } = judge(own.states.state('reputation'), peer)
    assert.deepEqual([standing, score < 0], ['thin-ice', true])
    assert.deepEqual([bans, thinIce], [[], [[peer, true]]])

    thinIce = []
    verdicts = newVerdicts()
    verdicts.restore()
    assert.deepEqual([bans.includes(`ban ${peer}`), thinIce], [false, [[peer, true]]])
    bans = []
    const told = bad(peer, 1)
    assert.deepEqual(bans, [`ban ${peer}`])
    await told
    assert.deepEqual([bans, thinIce.at(-1)], [[`ban ${peer}`], [peer, false]])
  })

  const settled = async () => {
    await verdicts.close()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const judgedInLog = async (): Promise<[PeerId, number][]> => {
    const found: [PeerId, number][] = []
    for await (const { event } of own.log.read({ kinds: ['piece.judged'] }))
      if (event.kind === 'piece.judged') found.push([event.subject, event.bad.length])
    return found
  }

  it('that the log does not take hold, and are recorded when it takes them again, so that a restart knows', async () => {
    await bad(peer, 10)
    own.disk.isFull = true
    await bad(peer, 11)
    await bad(addressId('192.0.2.1'), 25)
    assert.deepEqual(bans, [`ban ${peer}`, `ban ${addressId('192.0.2.1')}`])
    // Whatever else the log is tried with, and however often.
    for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(operator('operator.banned'), /no space left/)
    await bad(peer, 1)
    assert.deepEqual(bans.length, 2, 'nobody is let back in')
    assert.deepEqual(await judgedInLog(), [[peer, 10]])

    own.disk.isFull = false
    await own.log.append([{ event: { kind: 'node.stopped', reason: 'something else' } }])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(await judgedInLog(), [
      [peer, 10],
      [peer, 11],
      [addressId('192.0.2.1'), 25],
      [peer, 1],
    ])
    assert.equal(bans.length, 2)
    assert.deepEqual(await codes(4), ['peer.banned', 'log.failed', 'peer.banned', 'verdicts.recorded'])
    bans = []
    verdicts = newVerdicts()
    verdicts.restore()
    assert.deepEqual(bans.sort(), [`ban ${peer}`, `ban ${addressId('192.0.2.1')}`].sort())
    assert.equal(judge(own.states.state('reputation'), peer).score, 100 - 22 * 5, 'each piece counts once')
  })

  it('put on thin ice stays there while the log takes nothing', async () => {
    own.disk.isFull = true
    verdicts.onAppended([])
    const standing = { standing: 'thin-ice' as const, score: -1, because: 'others warn' }
    const put: [PeerId, boolean][] = []
    const others = new Verdicts({
      ...{ author: own.log.author, appender: own.log, notices, peers: () => [peer] },
      ...{ onWriteFailure: (listener) => own.log.onWriteFailure(listener) },
      engine: { ban: () => assert.fail(), unban: () => assert.fail(), thinIce: (subject, on) => put.push([subject, on]) },
      standingOf: (_peer, moreBad) => (moreBad > 0 ? standing : { ...standing, standing: 'good' }),
    })
    await others.judged(torrent, peer, [], badPieces(1))
    await others.judged(torrent, peer, [{ first: 0, count: 4 }], [])
    assert.deepEqual(put, [[peer, true]])
  })

  it('are recorded at the latest when the client stops, if the log takes them by then', async () => {
    own.disk.isFull = true
    await bad(peer, 3)
    own.disk.isFull = false
    await settled()
    assert.deepEqual(await judgedInLog(), [[peer, 3]])
  })

  it('hold when the log is closed', async () => {
    await bad(peer, 10)
    await own.log[Symbol.asyncDispose]()
    await bad(peer, 11)
    assert.deepEqual(bans, [`ban ${peer}`])
    verdicts.suspected(torrent, 3, [peer])
    assert.deepEqual(await codes(3), ['peer.banned', 'log.failed', 'log.failed'])
  })

  it('are kept for itself by a node that must say nothing to others', async () => {
    gate.refuse('this node has given two of its numbers out twice')
    await bad(peer, 21)
    assert.deepEqual(bans, [`ban ${peer}`])
    assert.deepEqual(await judgedInLog(), [[peer, 21]])
    for await (const { stream } of own.log.read()) assert.equal(stream, 'local')
  })

  it('that are kept have a bound: the good ones go first, then those about who has most', async () => {
    const kept = new KeptVerdicts()
    const verdict = (name: string, badCount: number): Verdict => ({
      ...{ kind: 'piece.judged', subject: node(name), infoHash: torrent, good: [], bad: badPieces(badCount) },
    })
    assert.equal(kept.keep(verdict('good', 0)), undefined)
    for (let place = 1; place < KEPT_VERDICTS_MAX; place++) {
      assert.equal(kept.keep(verdict(place % 2 === 0 ? 'loud' : `quiet ${place}`, 1)), undefined)
    }
    assert.equal(kept.keep(verdict('one more', 1))?.subject, node('good'))
    assert.equal(kept.keep(verdict('and one more', 1))?.subject, node('loud'))
    assert.equal(kept.count, KEPT_VERDICTS_MAX)
    assert.equal(kept.takeAll().length, KEPT_VERDICTS_MAX)
    assert.equal(kept.count, 0)
  })

  it('beyond that bound lose their record and not their ban', async () => {
    own.disk.isFull = true
    await bad(peer, 21)
    for (let place = 0; place < KEPT_VERDICTS_MAX; place++) await bad(node(`peer ${place}`), 1)
    assert.deepEqual(bans, [`ban ${peer}`])
  })
})
