import assert from 'node:assert/strict'
import { upcastSteps } from '../../../migrations/index.ts'
import { type Event, type EventLog, type Lamport, type Millis, signEvent, upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import { logPosition, parseMoment } from '../../../src/roles/node/log-position.ts'
import { numbered, signerOf } from '../../events/samples.ts'

const own = signerOf(1)
const other = signerOf(2)
const NOON = Date.parse('2026-11-23T12:00:00Z')
const judged: Event = {
  kind: 'piece.judged',
  subject: signerOf(3).id,
  infoHash: '1'.repeat(40) as never,
  good: [{ first: 0, count: 1 }],
  bad: [],
}

describe('a moment of the past', () => {
  let log: EventLog
  let now = NOON
  const mine = async (atMs: number) => {
    now = atMs
    await log.append([numbered(1)])
  }
  const theirs = (authorSeq: number, lamport: number, atMs: number) =>
    log.ingest([
      signEvent({ stream: 'gossip', event: judged }, { authorSeq, lamport: lamport as Lamport, at: atMs as Millis }, other),
    ])
  const seqAt = async (text: string) => (await logPosition(log, text, newTurns())).seq

  beforeEach(async () => {
    log = openMemoryLog({ signer: own, clock: { now: () => now as Millis }, upcast: upcaster(upcastSteps) })
    await mine(NOON) // 1: lamport 1
    await theirs(1, 50, NOON + 1_000) // 2
    await theirs(2, 20, NOON + 9_000_000) // 3: a clock that is far ahead
    await mine(NOON + 10_000) // 4: lamport 51
    await theirs(3, 52, NOON - 9_000_000) // 5: a clock that is far behind
    await theirs(4, 53, NOON + 30_000) // 6
    await mine(NOON + 60_000) // 7: lamport 54
  })
  afterEach(() => log[Symbol.asyncDispose]())

  it('is a sequence as it stands', async () => {
    assert.deepEqual(await logPosition(log, '2', newTurns()), { seq: 2, lamport: 50, at: NOON + 1_000 })
    assert.equal(await seqAt('now'), 7)
    assert.deepEqual(await logPosition(log, '0', newTurns()), { seq: 0, lamport: 0, at: null })
    await assert.rejects(logPosition(log, '8', newTurns()), { code: 'usage', message: 'the log has events 1 to 7, not 8' })
  })

  it('is where this node’s clock stood at a Lamport stamp', async () => {
    for (const [stamp, seq] of [
      [0, 0],
      [1, 1],
      [49, 1],
      [50, 3],
      [51, 4],
      [53, 6],
      [1_000, 7],
    ] as const) {
      assert.equal(await seqAt(`lamport:${stamp}`), seq, `stamp ${stamp}`)
    }
  })

  it('is what had arrived by a time, by our own clock, whatever others claim', async () => {
    for (const [offset, seq] of [
      [-1, 0],
      [0, 1],
      [999, 1],
      [1_000, 2],
      [9_999, 2],
      [10_000, 5],
      [29_999, 5],
      [30_000, 6],
      [60_000, 7],
      [99_000_000, 7],
    ] as const) {
      assert.equal(await seqAt(String(NOON + offset)), seq, `${offset} ms after the start`)
    }
    assert.equal(await seqAt('2026-11-23T12:00:10Z'), 5)
    assert.equal(await seqAt('2026-11-22'), 0)
  })

  it('is not guessed from other words', () => {
    for (const text of ['', 'then', '-1', '1.5', 'lamport:', 'lamport:x', '2026-13-45', '99999999999999999', 'May 1']) {
      assert.throws(() => parseMoment(text), { code: 'usage' }, text)
    }
  })
})
