import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  encodeBundleEnd,
  encodeBundleEvent,
  encodeBundleHeader,
  type NodeId,
  type PeerId,
  type SignedEvent,
} from '../../../src/events/index.ts'
import { parametersOf, SEED_V1 } from '../../../src/projections/reputation/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { createLogQueries } from '../../../src/roles/node/log-queries.ts'
import { OtherLog } from '../../../src/roles/node/other-log.fs.ts'
import type { DiffResult } from '../../../src/roles/services.ts'
import { tickingClock } from '../../events/samples.ts'
import { TEST_JOINED } from '../../events/test-network.ts'
import { countedTurns } from '../../projections/counted-turns.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { resultOf } from '../result-of.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const peer = node('peer')

describe('a difference between two nodes', () => {
  let here: SmallLog
  let there: SmallLog
  let folder: string
  beforeEach(async () => {
    here = await openSmallLog(1)
    there = await openSmallLog(2)
    folder = await mkdtemp(join(tmpdir(), 'p2pt-diff-'))
  })
  afterEach(async () => {
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const bundleOf = (events: readonly SignedEvent[], author: NodeId, genesis = TEST_JOINED.genesis): Buffer => {
    const pieces = [encodeBundleHeader({ author, head: events.length, at: 0, genesis }), ...events.map(encodeBundleEvent)]
    pieces.push(encodeBundleEnd(events.length))
    const whole = Buffer.concat(pieces)
    return Buffer.concat([whole, createHash('sha256').update(whole).digest()])
  }
  const everything = async ({ log }: SmallLog): Promise<SignedEvent[]> => [
    ...(await log.readSignedAt(Array.from({ length: log.head }, (_, index) => index + 1))),
  ]
  const diff = async (bundle?: Buffer): Promise<DiffResult> => {
    const file = join(folder, 'there.bundle')
    await writeFile(file, bundle ?? bundleOf(await everything(there), there.id))
    const { newTurns } = countedTurns()
    const { log, states } = here
    const queries = createLogQueries({
      ...{ log, states, newSha256, newTurns, joined: TEST_JOINED, clock: tickingClock() },
      sign: () => assert.fail('not asked for'),
      verifyLog: () => assert.fail('not asked for'),
    })
    return resultOf(queries.diff({ file }))
  }
  const says = (at: SmallLog, subject: PeerId, good: number, bad: number) =>
    at.log.append([{ event: judged(subject, good, bad) }])
  const told = ({ peers }: DiffResult) =>
    peers.map((row) => [
      row.peer,
      row.here.standing,
      row.there.standing,
      row.reasons.map(({ what, side, event }) => [what, side, event?.authorSeq]),
    ])

  it('is none between nodes that saw the same', async () => {
    await says(here, peer, 0, 30)
    await says(there, peer, 0, 30)
    const { differing, peers, policy, here: own, there: other } = await diff()
    assert.deepEqual([differing, peers, policy.parameters, own, other], [0, [], [], here.id, there.id])
  })

  it('is the event that one of them lacks', async () => {
    await says(here, peer, 0, 10)
    await says(here, peer, 0, 11)
    await says(there, peer, 5, 0)
    assert.deepEqual(told(await diff()), [
      [
        peer,
        'banned',
        'good',
        [
          ['lacks', 'there', 1],
          ['lacks', 'there', 2],
        ],
      ],
    ])
    const [row] = (await diff()).peers
    assert.deepEqual([row?.here.score, row?.there.score, row?.reasons[0]?.text], [-5, 105, 'lacks this event'])
  })

  it('is the weight of an event that both of them have', async () => {
    await says(there, peer, 0, 21)
    await here.log.ingest(await everything(there))
    const result = await diff()
    assert.deepEqual(told(result), [[peer, 'good', 'banned', [['weighs', 'here', 1]]]])
    assert.equal(result.peers[0]?.reasons[0]?.text, 'seen by the node itself there, the word of one that weighs nothing here')
  })

  it('is an operator’s word, which stays where it was said', async () => {
    await there.log.append([{ event: { kind: 'operator.banned', subject: peer, reason: 'a bot' } }])
    await says(here, node('other'), 0, 30)
    await there.log.append([{ event: { kind: 'operator.unbanned', subject: node('other'), reason: 'a friend' } }])
    const { peers } = await diff()
    const texts = new Map(peers.map((row) => [row.peer, row.reasons.map(({ what, side, text }) => `${what} ${side}: ${text}`)]))
    assert.deepEqual(texts.get(peer), ['operator here: the operator there banned it: a bot'])
    assert.deepEqual(texts.get(node('other')), [
      'operator there: its operator took it back: a friend',
      'lacks there: lacks this event',
    ])
  })

  it('is nobody’s word about itself', async () => {
    await says(here, there.id, 0, 21)
    await there.log.ingest(await everything(here))
    assert.equal((await diff()).peers[0]?.reasons[0]?.text, 'nobody judges itself')
  })

  it('names the parameters of the policies that are not the same', async () => {
    const strict = { ...SEED_V1, start: 10 }
    await there.log.append([{ event: { kind: 'policy.adopted', policy: 'strict', parameters: parametersOf(strict) } }])
    assert.deepEqual((await diff()).policy, {
      here: 'seed-v1',
      there: 'strict',
      parameters: [{ name: 'start', here: 100, there: 10 }],
    })
  })

  it('tells of the first twenty peers, and how many there are', async () => {
    for (let index = 0; index < 22; index++) await says(here, node(`p${index}`), 0, 30)
    const { differing, peers } = await diff()
    assert.deepEqual([differing, peers.length], [22, 20])
  })

  it('refuses a file that is another one when it is read again', async () => {
    await says(there, peer, 0, 21)
    const file = join(folder, 'there.bundle')
    await writeFile(file, bundleOf(await everything(there), there.id))
    const other = await OtherLog.open(file, TEST_JOINED, here.log)
    const read = async () => {
      const seqs: number[] = []
      await other.read(({ seq }) => void seqs.push(seq), { turns: countedTurns().newTurns() })
      return seqs
    }
    assert.deepEqual([await read(), await read()], [[1], [1]])
    await says(there, peer, 0, 1)
    await writeFile(file, bundleOf((await everything(there)).slice(1), there.id))
    await assert.rejects(read(), /was changed while it was read/)
  })

  it('refuses what is no bundle, is cut, of another network, forged, or private to a third', async () => {
    await says(there, peer, 0, 21)
    const events = await everything(there)
    const [event] = events
    assert.ok(event)
    const refusal = async (bundle: Buffer, code: string, message: RegExp) =>
      assert.rejects(diff(bundle), (error: Error & { code?: string }) => error.code === code && message.test(error.message))
    const whole = bundleOf(events, there.id)
    await refusal(Buffer.from('nonsense'), 'usage', /neither a bundle nor NDJSON/)
    await refusal(Buffer.from('{"network":{}}\n'), 'damaged', /an event without its signed bytes/)
    await refusal(whole.subarray(0, whole.length - 40), 'damaged', /cut off/)
    await refusal(bundleOf([{ ...event, signature: new Uint8Array(64) }], there.id), 'damaged', /event 1 .* is forged/)
    const otherGenesis = Uint8Array.from(TEST_JOINED.genesis)
    const last = otherGenesis.length - 1
    otherGenesis[last] = (otherGenesis[last] ?? 0) ^ 1
    await refusal(bundleOf(events, there.id, otherGenesis), 'damaged', /another network/)
    await there.log.append([{ event: { kind: 'operator.banned', subject: peer, reason: 'x' } }])
    await refusal(bundleOf(await everything(there), here.id), 'damaged', /private to another node/)
    // One that is held here byte for byte needs no signature again; one that differs from it does.
    await hears(here, there, judged(peer, 1, 0))
    assert.equal((await diff()).there, there.id)
  })
})
