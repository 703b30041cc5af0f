import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, EventLog, PeerId } from '../../../src/events/index.ts'
import { explain } from '../../../src/projections/reputation/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { yieldToEventLoop } from '../../../src/projections/turns.system.ts'
import { createLogQueries } from '../../../src/roles/node/log-queries.ts'
import { relevantEvents } from '../../../src/roles/node/relevant-events.ts'
import { type LogFilter, type LogQueries, ServiceError } from '../../../src/roles/services.ts'
import { tickingClock } from '../../events/samples.ts'
import { TEST_JOINED } from '../../events/test-network.ts'
import { type CountedTurns, countedTurns } from '../../projections/counted-turns.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { resultOf } from '../result-of.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const [peer, other, third] = [node('peer'), node('other'), node('third')]

describe('queries of a log', () => {
  let own: SmallLog
  let eve: SmallLog
  let queries: LogQueries
  let turns: CountedTurns
  beforeEach(async () => {
    own = await openSmallLog(1)
    eve = await openSmallLog(2)
    turns = countedTurns()
    queries = queriesOf(own.log)
  })
  afterEach(async () => {
    await own[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
  })
  const queriesOf = (log: EventLog): LogQueries =>
    createLogQueries({
      ...{ log, states: own.states, newSha256, newTurns: turns.newTurns, joined: TEST_JOINED, clock: tickingClock() },
      sign: () => assert.fail('not asked for'),
      verifyLog: () => assert.fail('not asked for'),
    })
  const says = (subject: PeerId, good: number, bad: number) => own.log.append([{ event: judged(subject, good, bad) }])
  const seqs = async (filter: LogFilter): Promise<number[]> => {
    const found: number[] = []
    for await (const { seq } of queries.events(filter)) found.push(seq)
    return found
  }
  const everything = async (): Promise<Envelope[]> => {
    const all: Envelope[] = []
    for await (const envelope of own.log.read()) all.push(envelope)
    return all
  }

  it('read events by range, kind, author and number, and refuse what makes no sense', async () => {
    await says(peer, 1, 0)
    await hears(own, eve, judged(peer, 0, 1), judged(other, 0, 1))
    await own.log.append([{ event: { kind: 'operator.banned', subject: other, reason: 'test' } }])
    assert.deepEqual(await seqs({}), [1, 2, 3, 4])
    assert.deepEqual(await seqs({ from: 2, to: 3 }), [2, 3])
    assert.deepEqual(await seqs({ kinds: ['operator.banned'] }), [4])
    assert.deepEqual(await seqs({ author: eve.id }), [2, 3])
    assert.deepEqual(await seqs({ author: eve.id, limit: 1 }), [2])
    assert.deepEqual(await seqs({ limit: 0 }), [])
    await assert.rejects(seqs({ kinds: ['toString'] }), ServiceError)
    await assert.rejects(seqs({ author: 'eve' }), /not a node id/)
    const signed: number[] = []
    for await (const { seq } of queries.signed({ from: 3 })) signed.push(seq)
    assert.deepEqual(signed, [3, 4])
  })

  it('count events and bytes by kind', async () => {
    await says(peer, 1, 0)
    await hears(own, eve, judged(peer, 0, 1))
    const stats = await resultOf(queries.stats({ read: true }))
    assert.deepEqual(
      [stats.events, stats.authors, stats.read?.byKind.map(({ kind, events }) => [kind, events])],
      [2, 2, [['piece.judged', 2]]],
    )
    assert.equal(stats.read?.bytes, stats.read?.byKind[0]?.bytes)
    assert.ok(Number(stats.read?.bytes) > 300)
    assert.deepEqual(await resultOf(queries.stats()), { ...stats, read: null }, 'and without a look at them')
  })

  it('read the last events that match, however far back they stand', async () => {
    await says(peer, 1, 0)
    await hears(own, eve, judged(peer, 0, 1), judged(other, 0, 1))
    // More places than are looked at together on the way back.
    for (let round = 0; round < 50; round++)
      await own.log.append(Array.from({ length: 100 }, () => ({ event: { kind: 'node.stopped', reason: '' } })))
    await says(other, 1, 0)
    assert.deepEqual(await seqs({ last: 2 }), [5_003, 5_004])
    assert.deepEqual(await seqs({ last: 3, kinds: ['piece.judged'] }), [2, 3, 5_004])
    assert.deepEqual(await seqs({ last: 1, author: eve.id }), [3])
    assert.deepEqual(await seqs({ last: 9, author: eve.id }), [2, 3])
    assert.deepEqual(await seqs({ last: 2, to: 3 }), [2, 3])
    assert.deepEqual(await seqs({ last: 2, from: 3, kinds: ['piece.judged'] }), [3, 5_004])
    assert.deepEqual(await seqs({ last: 3, kinds: ['piece.judged'], limit: 1 }), [2])
    assert.deepEqual(await seqs({ last: 0 }), [])
    assert.deepEqual(await queries.head(), { seq: 5_004, lamport: own.log.lamport })
  })

  it('give others their turn at least every 10 ms, however long the log is', async () => {
    const events = 5_000
    for (let round = 0; round < events / 100; round++)
      await own.log.append(Array.from({ length: 100 }, () => ({ event: judged(peer, 1, 0) })))
    const works: [string, () => Promise<unknown>][] = [
      ['stats', () => resultOf(queries.stats({ read: true }))],
      ['replay', () => resultOf(queries.replay({}))],
      ['explain', () => queries.explain(peer)],
      ['bisect', () => resultOf(queries.bisect(peer))],
      ['hindsight', () => resultOf(queries.hindsight())],
      ['place', () => queries.place('lamport:1000000')],
      ['events', () => seqs({ author: eve.id })],
      ['last events', () => seqs({ author: eve.id, last: 1 })],
      ['signed', async () => queries.signed({ author: eve.id })[Symbol.asyncIterator]().next()],
    ]
    for (const [name, work] of works) {
      const before = turns.count
      await work()
      // On this clock each event takes 1 ms.
      assert.ok(turns.count - before >= events / 12, `${name}: ${turns.count - before} turns`)
    }
  })

  it('end when their caller goes, in the midst of the log', async () => {
    await says(peer, 1, 0)
    const [event] = await own.log.readSignedAt([1])
    assert.ok(event)
    const { log } = own
    let read = 0
    // A log without end, and others that get their turn.
    const endless = new Proxy(log, {
      get(target, name) {
        if (name === 'head') return Number.MAX_SAFE_INTEGER
        if (name === 'readSignedAt')
          return async (wanted: number[]) => {
            read += wanted.length
            return wanted.map(() => event)
          }
        if (name === 'readBatches')
          return async function* () {
            for (;;) {
              read += 1
              yield* target.readBatches()
            }
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    turns = countedTurns(yieldToEventLoop)
    const asked = queriesOf(endless)
    for (const work of [asked.stats({ read: true }), asked.replay({})]) {
      for await (const { done, total } of work) {
        assert.ok(done > 0 && total > 0)
        break
      }
      // What is under way ends with its turn.
      await yieldToEventLoop()
      await yieldToEventLoop()
      const after = read
      for (let turn = 0; turn < 20; turn++) await yieldToEventLoop()
      assert.equal(read, after)
    }
  })

  it('explain a ban by the events that made it, for any beginning of the id that is one peer’s', async () => {
    await says(other, 0, 5)
    await says(peer, 3, 10)
    await says(peer, 0, 11)
    const { standing, score, verdicts, decisive, policy } = await queries.explain(peer.slice(0, 8))
    assert.deepEqual([standing, score, policy], ['banned', -2, 'seed-v1'])
    assert.deepEqual(
      verdicts.map(({ seq, decisive }) => [seq, decisive]),
      [
        [2, true],
        [3, true],
      ],
    )
    assert.deepEqual(decisive, [2, 3])
    await assert.rejects(queries.explain(''), /nothing is known/)
    await assert.rejects(queries.explain('not a peer'), /nothing is known/)
    // Of a whole id that nobody spoke of there is nothing to say, and that is an answer.
    assert.deepEqual((await queries.explain(third)).verdicts, [])
  })

  it('explain from the events that bear on a peer as from all of them', async () => {
    const subjects = [peer, other, third]
    const step = fc.record({
      by: fc.constantFrom('own', 'eve', 'mallory'),
      subject: fc.constantFrom(...subjects),
      good: fc.constantFrom(0, 1, 40),
      bad: fc.constantFrom(0, 1, 30),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25, size: 'max' }), async (steps) => {
        await using mine = await openSmallLog(1)
        await using reporter = await openSmallLog(2)
        await using mallory = await openSmallLog(3)
        for (const { by, subject, good, bad } of steps) {
          const event = judged(subject, good, bad)
          if (by === 'own') await mine.log.append([{ event }])
          else await hears(mine, by === 'eve' ? reporter : mallory, event)
        }
        const all: Envelope[] = []
        for await (const envelope of mine.log.read()) all.push(envelope)
        for (const subject of subjects) {
          const relevant = all.filter(relevantEvents(mine.states.state('reputation'), subject))
          assert.deepEqual(explain(relevant, subject, { own: mine.id }), explain(all, subject, { own: mine.id }))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('leave out of an explanation what bears on others alone', async () => {
    for (let round = 0; round < 10; round++) await says(other, 1, 0)
    await hears(own, eve, judged(other, 5, 0))
    await says(peer, 1, 0)
    const relevant = (await everything()).filter(relevantEvents(own.states.state('reputation'), peer))
    assert.deepEqual(
      relevant.map(({ seq }) => seq),
      [12],
    )
  })

  it('replay without a reporter, as of the past, and under another policy, and name who would stand otherwise', async () => {
    await says(peer, 0, 21)
    await hears(own, eve, judged(other, 0, 3))
    const plain = await resultOf(queries.replay({}))
    assert.deepEqual([plain.events, plain.changed, plain.policy], [2, [], 'seed-v1'])
    assert.equal(plain.liveDigest, plain.replayedDigest)
    assert.equal((await resultOf(queries.replay({ without: [eve.id] }))).events, 1)
    const mild = await resultOf(queries.replay({ policy: { id: 'mild', parameters: { bad: 1 } } }))
    assert.deepEqual(
      [mild.policy, mild.changed],
      [
        'mild',
        [
          {
            peer,
            live: 'banned',
            liveBecause: '0 good pieces and 21 bad seen here',
            replayed: 'good',
            replayedBecause: '0 good pieces and 21 bad seen here',
          },
        ],
      ],
    )
    const without = await resultOf(queries.replay({ withoutEvents: [1] }))
    assert.deepEqual(
      without.changed.map(({ live, replayed, replayedBecause }) => [live, replayed, replayedBecause]),
      [['banned', 'good', 'nothing is known of it']],
    )
    assert.deepEqual((await resultOf(queries.replay({ until: 0 }))).changed, without.changed)
    for (const seq of [0, 3]) await assert.rejects(resultOf(queries.replay({ withoutEvents: [seq] })), /events 1 to 2/)
    await assert.rejects(resultOf(queries.replay({ without: ['eve'] })), /--without takes a whole node id/)
    await assert.rejects(resultOf(queries.replay({ as: 'eve' })), /--as takes a whole node id/)
  })

  it('bisect a ban: the event that tipped it, and the fewest without which it would stand', async () => {
    await says(peer, 0, 2)
    await says(peer, 0, 20)
    await says(other, 1, 0)
    const { tipping, ...rest } = await resultOf(queries.bisect(peer.slice(0, 8)))
    assert.deepEqual(rest, { peer, standing: 'banned', claim: 'smallest', lifting: [2], liftingCount: 1 })
    assert.deepEqual([tipping?.event.seq, tipping?.rule, tipping?.before.score, tipping?.after.score], [2, 'sum', 90, -10])
    assert.equal((await resultOf(queries.bisect(peer, { at: 1 }))).tipping, null)
    assert.equal((await resultOf(queries.bisect(other))).standing, 'good')
    await assert.rejects(resultOf(queries.bisect('abc')), /nothing is known of a peer abc/)
  })

  it('replay as another node would judge, by what it has said', async () => {
    await says(peer, 0, 21)
    await hears(own, eve, judged(other, 0, 21))
    const asEve = await resultOf(queries.replay({ as: eve.id }))
    assert.equal(asEve.as, eve.id)
    assert.deepEqual(
      asEve.changed.map(({ peer: whom, live, replayed }) => [whom, live, replayed]).sort(),
      [
        [other, 'good', 'banned'],
        [peer, 'banned', 'good'],
      ].sort(),
    )
    assert.equal(asEve.liveDigest, asEve.replayedDigest, 'the digests are of the node itself')
  })

  it('tell who would stand otherwise by the order of the stamps, and by which event', async () => {
    // Eve warns of the peer before this node has a bad piece of it, and it is heard afterwards; she was right of ten others in time.
    for (let index = 0; index < 12; index++) {
      await hears(own, eve, judged(node(`bad ${index}`), 0, 1))
      await says(node(`bad ${index}`), 0, 1)
    }
    await eve.log.append([{ event: judged(peer, 0, 100) }])
    for (let index = 0; index < 40; index++) await says(other, 1, 0)
    await says(peer, 0, 16)
    await says(peer, 0, 1)
    assert.equal((await queries.explain(peer)).standing, 'good')
    assert.deepEqual(await resultOf(queries.hindsight()), { compared: true, rows: [] })
    const late = await eve.log.readSignedAt([13])
    await own.log.ingest(late)
    const { head } = own.log
    const { compared, rows } = await resultOf(queries.hindsight())
    assert.deepEqual(
      [
        compared,
        rows.map((row) => [row.peer, row.standing, row.difference?.event.seq, row.difference?.before, row.difference?.after]),
      ],
      [true, [[peer, 'banned', head, 'thin-ice', 'banned']]],
    )
    const { standing, now } = await queries.explain(peer)
    assert.deepEqual([standing, now], ['thin-ice', rows[0]])
    assert.deepEqual((await queries.explain(other)).now?.differs, false)
    assert.deepEqual(await resultOf(queries.hindsight({ at: head - 1 })), { compared: true, rows: [] })
  })

  it('give the digests that stood at any event, and refuse events that are not there', async () => {
    const digests = [(await queries.digests({})).digests]
    for (let round = 0; round < 4; round++) {
      await says(peer, 1, 0)
      digests.push((await queries.digests({})).digests)
    }
    for (const [at, expected] of digests.entries()) assert.deepEqual(await queries.digests({ at }), { at, digests: expected })
    for (const at of [-1, 5, 1.5]) await assert.rejects(queries.digests({ at }), /events 1 to 4/)
  })
})
