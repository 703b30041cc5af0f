import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, PeerId } from '../../../src/events/index.ts'
import { explain } from '../../../src/projections/reputation/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { bearingOn } from '../../../src/roles/node/bearing.ts'
import { createLogQueries } from '../../../src/roles/node/log-queries.ts'
import { type LogFilter, type LogQueries, ServiceError } from '../../../src/roles/services.ts'
import { tickingClock } from '../../events/samples.ts'
import { TEST_JOINED } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const [peer, other, third] = [node('peer'), node('other'), node('third')]

describe('queries of a log', () => {
  let own: SmallLog
  let eve: SmallLog
  let queries: LogQueries
  beforeEach(async () => {
    own = await openSmallLog(1)
    eve = await openSmallLog(2)
    queries = createLogQueries({
      ...{ log: own.log, states: own.states, newSha256, joined: TEST_JOINED, clock: tickingClock() },
      verifyLog: () => assert.fail('not asked for'),
    })
  })
  afterEach(async () => {
    await own[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
  })
  const says = (subject: PeerId, good: number, bad: number) =>
    own.log.append([{ stream: 'gossip', event: judged(subject, good, bad) }])
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
    await own.log.append([{ stream: 'local', event: { kind: 'operator.banned', subject: other, reason: 'test' } }])
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
    const stats = await queries.stats()
    assert.deepEqual(
      [stats.events, stats.authors, stats.byKind.map(({ kind, events }) => [kind, events])],
      [2, 2, [['piece.judged', 2]]],
    )
    assert.equal(stats.bytes, stats.byKind[0]?.bytes)
    assert.ok(stats.bytes > 300)
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
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        await using mine = await openSmallLog(1)
        await using reporter = await openSmallLog(2)
        await using mallory = await openSmallLog(3)
        for (const { by, subject, good, bad } of steps) {
          const event = judged(subject, good, bad)
          if (by === 'own') await mine.log.append([{ stream: 'gossip', event }])
          else await hears(mine, by === 'eve' ? reporter : mallory, event)
        }
        const all: Envelope[] = []
        for await (const envelope of mine.log.read()) all.push(envelope)
        for (const subject of subjects) {
          const bearing = all.filter(bearingOn(mine.states.state('reputation'), subject))
          assert.deepEqual(explain(bearing, subject, { own: mine.id }), explain(all, subject, { own: mine.id }))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('leave out of an explanation what bears on others alone', async () => {
    for (let round = 0; round < 10; round++) await says(other, 1, 0)
    await hears(own, eve, judged(other, 5, 0))
    await says(peer, 1, 0)
    const bearing = (await everything()).filter(bearingOn(own.states.state('reputation'), peer))
    assert.deepEqual(
      bearing.map(({ seq }) => seq),
      [12],
    )
  })

  it('replay without a reporter, as of the past, and under another policy, and name who would stand otherwise', async () => {
    await says(peer, 0, 21)
    await hears(own, eve, judged(other, 0, 3))
    const plain = await queries.replay({})
    assert.deepEqual([plain.events, plain.changed, plain.policy], [2, [], 'seed-v1'])
    assert.equal(plain.liveDigest, plain.replayedDigest)
    assert.equal((await queries.replay({ without: eve.id })).events, 1)
    const mild = await queries.replay({ policy: { id: 'mild', parameters: { bad: 1 } } })
    assert.deepEqual([mild.policy, mild.changed], ['mild', [{ peer, live: 'banned', replayed: 'good' }]])
    await assert.rejects(queries.replay({ without: 'eve' }), /whole node id/)
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
