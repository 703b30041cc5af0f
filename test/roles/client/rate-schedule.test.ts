import assert from 'node:assert/strict'
import { NO_SETTINGS } from '../../../src/projections/index.ts'
import { checkSettings, SETTING_COUNT_MAX } from '../../../src/roles/client/check-settings.ts'
import { ratesAt } from '../../../src/roles/client/rate-schedule.ts'
import { ServiceError } from '../../../src/roles/index.ts'

const at = (when: string, rate: number) => ({ when, downloadBytesPerSecond: rate, uploadBytesPerSecond: rate + 1 })
const settings = { downloadBytesPerSecond: 1, uploadBytesPerSecond: 2 }

describe('a schedule of rates', () => {
  it('has the rates of the pattern that matched last, to the second', () => {
    const schedule = [at('0 8 * * 1-5', 80), at('0 18 * * *', 180)]
    const downAt = (year: number, month: number, day: number, hour: number, minute: number, second = 0) =>
      ratesAt({ ...settings, schedule }, new Date(year, month - 1, day, hour, minute, second).getTime()).downloadBytesPerSecond
    // 27 November 2026 is a Friday.
    assert.equal(downAt(2026, 11, 27, 7, 59, 59), 180)
    assert.equal(downAt(2026, 11, 27, 8, 0, 0), 80)
    assert.equal(downAt(2026, 11, 27, 17, 59, 59), 80)
    assert.equal(downAt(2026, 11, 27, 18, 0, 0), 180)
    assert.equal(downAt(2026, 11, 28, 12, 0), 180, 'a Saturday')
    assert.equal(downAt(2026, 11, 30, 8, 0), 80)
    assert.deepEqual(ratesAt({ ...settings, schedule }, new Date(2026, 10, 27, 9).getTime()), {
      ...{ downloadBytesPerSecond: 80, uploadBytesPerSecond: 81 },
    })
  })

  it('is the client’s rates without a pattern, and where none has matched yet', () => {
    assert.deepEqual(ratesAt({ ...settings, schedule: [] }, 0), settings)
    const later = [at('0 0 8 1 1 * 2030', 5)]
    assert.deepEqual(ratesAt({ ...settings, schedule: later }, new Date(2026, 10, 27).getTime()), settings)
    assert.equal(ratesAt({ ...settings, schedule: later }, new Date(2030, 1, 1).getTime()).downloadBytesPerSecond, 5)
  })

  it('goes by the later entry where two match at once', () => {
    const schedule = [at('0 8 * * *', 1), at('0 8 * * *', 2)]
    assert.equal(ratesAt({ ...settings, schedule }, new Date(2026, 10, 27, 9).getTime()).downloadBytesPerSecond, 2)
  })

  it('is refused where a pattern cannot be read or names no time to come', () => {
    for (const when of ['', 'at eight', '61 * * * *', '0 0 30 2 *', '0 0 8 1 1 * 2020', '* * * *', '0 25 * * *']) {
      assert.throws(
        () => checkSettings({ ...NO_SETTINGS, schedule: [at(when, 1)] }),
        (error) => error instanceof ServiceError && error.code === 'usage' && error.message.includes(JSON.stringify(when)),
        when,
      )
    }
    const many = (count: number) => ({ ...NO_SETTINGS, schedule: Array.from({ length: count }, () => at('0 8 * * *', 1)) })
    checkSettings(many(64))
    assert.throws(() => checkSettings(many(65)), /at most 64/)
  })

  it('stands beside counts that have a bound', () => {
    for (const name of ['connectionsMax', 'uploadSlots', 'downloadsMax', 'seedsMax'] as const) {
      checkSettings({ ...NO_SETTINGS, [name]: SETTING_COUNT_MAX })
      assert.throws(() => checkSettings({ ...NO_SETTINGS, [name]: SETTING_COUNT_MAX + 1 }), new RegExp(name))
    }
  })
})
