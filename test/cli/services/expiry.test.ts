import assert from 'node:assert/strict'
import { expiryOf } from '../../../src/cli/services/owner.ts'

const DAY_MS = 86_400_000

describe('when an invitation expires', () => {
  it('is so long from now, up to 100 years, or never', () => {
    assert.equal(expiryOf(undefined), 0)
    for (const [text, ms] of [
      ['90m', 90 * 60_000],
      ['12h', 12 * 3_600_000],
      [' 030d ', 30 * DAY_MS],
      ['6w', 42 * DAY_MS],
      ['100y', 36_500 * DAY_MS],
      ['36500d', 36_500 * DAY_MS],
    ] as const) {
      const before = Date.now()
      const at = expiryOf(text)
      assert.ok(at >= before + ms && at <= Date.now() + ms, text)
    }
  })

  for (const text of ['101y', '36501d', '12000y', '250000y', '99999999999d', `${'9'.repeat(400)}m`])
    it(`says of ${text.slice(0, 16)} that 100 years are the most`, () =>
      assert.throws(() => expiryOf(text), {
        code: 'usage',
        message: /^--expires \d+[dmy] is too long: at most 100 years/,
      }))

  for (const text of ['', 'soon', '0d', '000y', '1.5d', '30D', '-1d', '2027-01-01'])
    it(`says of ${JSON.stringify(text)} that it is no time`, () =>
      assert.throws(() => expiryOf(text), { code: 'usage', message: new RegExp(`^--expires ${text} is no time such as 90m`) }))
})
