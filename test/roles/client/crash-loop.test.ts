import assert from 'node:assert/strict'
import type { Event, Millis, Signer } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { DEATHS_WINDOW_MS, diesAgainAndAgain, type LifeEvent, startsAfterDeaths } from '../../../src/roles/client/crash-loop.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'

const NOW = 1_000_000
const started = (secondsAgo: number): LifeEvent => ({ kind: 'node.started', at: NOW - secondsAgo * 1_000 })
const stopped = (secondsAgo: number): LifeEvent => ({ kind: 'node.stopped', at: NOW - secondsAgo * 1_000 })

describe('a node that dies again and again', () => {
  const table: readonly (readonly [string, readonly LifeEvent[], boolean])[] = [
    ['at its first start', [], false],
    ['after one death', [started(5)], false],
    ['after two deaths within a minute', [started(40), started(20)], true],
    ['after two deaths, the first of a run of weeks', [started(1e6), started(20)], true],
    ['after two deaths exactly a minute apart', [started(500), started(DEATHS_WINDOW_MS / 1_000)], true],
    ['after two deaths a ms more than a minute apart', [started(500), started(DEATHS_WINDOW_MS / 1_000 + 0.001)], false],
    ['after two deaths within a minute, an hour ago', [started(3_640), started(3_620), started(3_600)], false],
    ['after two stops', [started(40), stopped(30), started(20), stopped(10)], false],
    ['after a death and then a stop', [started(40), started(30), started(20), stopped(10)], false],
    ['after a stop between two deaths', [started(50), started(40), stopped(30), started(20)], true],
    ['after a stop and one death', [started(40), stopped(30), started(20)], false],
    ['after a stop and two deaths', [started(500), stopped(400), started(30), started(20)], true],
    ['after three deaths', [started(40), started(30), started(20)], true],
    ['when the clock was set back', [started(-500), started(-400)], false],
  ]
  for (const [when, events, expected] of table) {
    it(`${expected ? 'is seen' : 'is not seen'} ${when}`, () => {
      assert.equal(diesAgainAndAgain(events, NOW), expected)
    })
  }
})

describe('the start that is under way', () => {
  const START: Event = { kind: 'node.started', role: 'client', software: 'p2pt/1', incarnation: 1 }
  const STOP: Event = { kind: 'node.stopped', reason: 'asked to' }
  const BAN: Event = { kind: 'operator.banned', subject: signerOf(3).id, reason: 'a bot' }

  /** A log of this node with such events, each with the second at which it was written. */
  async function logOf(signer: Signer, ...events: readonly (readonly [second: number, event: Event])[]) {
    let now = 0
    const log = openMemoryLog({ signer, clock: { now: () => now as Millis }, upcast: noUpcast })
    for (const [second, event] of events) {
      now = second * 1_000
      await log.append([{ event }])
    }
    return log
  }
  const startsSo = async (...events: readonly (readonly [second: number, event: Event])[]): Promise<boolean> => {
    await using log = await logOf(signerOf(1), ...events)
    return startsAfterDeaths(log)
  }

  it('follows on deaths where the two runs before it had no stop', async () => {
    assert.equal(await startsSo([100, START], [110, START], [120, START]), true)
    assert.equal(await startsSo([100, START], [110, START]), false)
    assert.equal(await startsSo([100, START]), false)
    assert.equal(await startsSo(), false)
  })

  it('follows on none after stops, or where the deaths are long ago', async () => {
    assert.equal(await startsSo([100, START], [105, STOP], [110, START], [115, STOP], [120, START]), false)
    assert.equal(await startsSo([100, START], [110, START], [115, STOP], [120, START]), false)
    assert.equal(await startsSo([100, START], [105, STOP], [110, START], [120, START]), false)
    assert.equal(await startsSo([100, START], [110, START], [10_000, START]), false)
  })

  it('is looked at by starts and stops alone, whatever else was written', async () => {
    assert.equal(await startsSo([100, START], [101, BAN], [110, START], [111, BAN], [120, START]), true)
    assert.equal(await startsSo([100, START], [110, START], [115, STOP], [116, BAN], [120, START]), false)
  })

  it('has nothing to do with the deaths of other nodes', async () => {
    await using log = await logOf(signerOf(1), [100, START], [110, START], [120, START])
    const readBatches = log.readBatches.bind(log)
    assert.equal(await startsAfterDeaths({ author: log.author, readBatches }), true)
    assert.equal(await startsAfterDeaths({ author: signerOf(2).id, readBatches }), false)
    await using other = await logOf(signerOf(2), [130, START], [135, STOP])
    const both: typeof readBatches = async function* (range) {
      yield* log.readBatches(range)
      yield* other.readBatches(range)
    }
    assert.equal(await startsAfterDeaths({ author: log.author, readBatches: both }), true)
  })
})
