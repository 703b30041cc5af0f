import assert from 'node:assert/strict'
import { PAUSE_FIRST_MS, PAUSE_MAX_MS, PullPause } from '../../../src/network/gossip/pull-pause.ts'

/** How long after a fetch that brought nothing another may try, ms. */
const TRIAL_MS = 10_000

describe('a pause of fetching', () => {
  let pause: PullPause
  beforeEach(() => {
    pause = new PullPause()
  })
  const state = (now = 0) => ({ isFailing: pause.isFailing, isPaused: pause.isPaused, mayFetch: pause.mayFetch(now) })

  it('is none while the log is well, whatever is fetched', () => {
    for (const happens of [() => pause.over(), () => pause.fetching(0), () => pause.notFetched()]) {
      happens()
      assert.deepEqual(state(), { isFailing: false, isPaused: false, mayFetch: true })
    }
    assert.equal(pause.worked(), false, 'it was well before')
  })

  it('begins when the log fails, once, and ends in one trial', () => {
    assert.equal(pause.failed(), PAUSE_FIRST_MS)
    assert.equal(pause.failed(), undefined, 'it goes on')
    assert.deepEqual(state(1e9), { isFailing: true, isPaused: true, mayFetch: false })
    pause.over()
    assert.deepEqual(state(), { isFailing: true, isPaused: false, mayFetch: true })
  })

  it('lets one fetch try, and another after ten seconds, or at once if the first was not sent', () => {
    pause.failed()
    pause.over()
    pause.fetching(500)
    assert.deepEqual([500, 500 + TRIAL_MS - 1, 500 + TRIAL_MS].map(pause.mayFetch.bind(pause)), [false, false, true])
    pause.notFetched()
    assert.equal(pause.mayFetch(500), true)
  })

  it('is not cut short by a fetch that was under way, nor by what the log took that it was handed before', () => {
    pause.failed()
    pause.fetching(0)
    pause.notFetched()
    assert.equal(pause.worked(), false)
    assert.deepEqual(state(1e9), { isFailing: true, isPaused: true, mayFetch: false })
  })

  it('is twice as long after each trial that fails, a minute at most, and short again once the log has taken something', () => {
    const lengths = Array.from({ length: 9 }, () => {
      const forMs = pause.failed()
      pause.over()
      return forMs
    })
    assert.deepEqual(lengths, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    assert.equal(PAUSE_MAX_MS, 60_000)
    assert.equal(pause.worked(), true)
    assert.deepEqual(state(), { isFailing: false, isPaused: false, mayFetch: true })
    assert.equal(pause.failed(), PAUSE_FIRST_MS)
  })
})
