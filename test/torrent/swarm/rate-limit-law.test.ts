import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RateLimit } from '../../../src/torrent/swarm/rate-limit.ts'

describe('a limit of bytes', () => {
  it('lets no more through than it says, over any time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1_000_000 }),
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 50, maxLength: 300, size: 'max' }),
        (rate, transfers) => {
          const limit = new RateLimit(rate)
          let now = 0
          let sent = 0
          for (const bytes of transfers) {
            for (let wait = limit.waitMs(now); wait > 0; wait = limit.waitMs(now)) now += wait
            limit.take(bytes, now)
            sent += bytes
          }
          // A quarter of a second may be saved up, and the last transfer overdraws.
          assert.ok(sent <= (rate * (now + 250)) / 1_000 + 60_000 + 1)
          // It waits no longer than it must.
          assert.ok(sent >= (rate * now) / 1_000 - rate / 100 - 60_000)
        },
      ),
    )
  })

  it('is none where none is set', () => {
    const none = new RateLimit(undefined)
    none.take(1e12, 0)
    assert.deepEqual([none.waitMs(0), none.isLimited], [0, false])
  })
})
