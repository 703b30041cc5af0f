import assert from 'node:assert/strict'
import { DEATHS_WINDOW_MS, diesAgainAndAgain, type LifeEvent } from '../../../src/roles/client/crash-loop.ts'

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
    ['after three deaths', [started(40), started(30), started(20)], true],
    ['when the clock was set back', [started(-500), started(-400)], false],
  ]
  for (const [when, events, expected] of table) {
    it(`${expected ? 'is seen' : 'is not seen'} ${when}`, () => {
      assert.equal(diesAgainAndAgain(events, NOW), expected)
    })
  }
})
