import assert from 'node:assert/strict'
import { clientChange, torrentChange } from '../../../src/cli/services/limit-changes.ts'
import { SPAN_MS_MAX, spanOf } from '../../../src/cli/services/time-span.ts'
import { ServiceError } from '../../../src/roles/index.ts'

describe('what client limit was told', () => {
  it('changes only what is given', () => {
    assert.deepEqual(clientChange({}), {})
    assert.deepEqual(clientChange({ down: '2MB', up: 'none' }), { downloadBytesPerSecond: 2_000_000, uploadBytesPerSecond: 0 })
    assert.deepEqual(clientChange({ ratio: '1.5', 'seed-time': '7d' }), { ratioGoalPercent: 150, seedGoalMs: 604_800_000 })
    assert.deepEqual(clientChange({ connections: '200', slots: 'none', downloads: '3', seeds: '5' }), {
      ...{ connectionsMax: 200, uploadSlots: 0, downloadsMax: 3, seedsMax: 5 },
    })
    assert.deepEqual(clientChange({ 'local-down': 'none', 'local-up': '9MB', 'remote-down': '3MB', 'remote-up': '1MB' }), {
      ...{ localDownloadBytesPerSecond: 0, localUploadBytesPerSecond: 9_000_000 },
      ...{ remoteDownloadBytesPerSecond: 3_000_000, remoteUploadBytesPerSecond: 1_000_000 },
    })
    assert.deepEqual(torrentChange({ up: '200kB', ratio: 'none', 'seed-time': 'NONE' }), {
      ...{ uploadBytesPerSecond: 200_000, ratioGoalPercent: 0, seedGoalMs: 0 },
    })
  })

  it('has a schedule of patterns with rates', () => {
    assert.deepEqual(clientChange({ at: ['0 8 * * 1-5=500kB/100kB', '0 18 * * *=none/1MB'] }).schedule, [
      { when: '0 8 * * 1-5', downloadBytesPerSecond: 500_000, uploadBytesPerSecond: 100_000 },
      { when: '0 18 * * *', downloadBytesPerSecond: 0, uploadBytesPerSecond: 1_000_000 },
    ])
    assert.deepEqual(clientChange({ at: ['none'] }).schedule, [])
  })

  it('is refused where it says nothing that can be meant', () => {
    const refused = (change: () => unknown, says: RegExp) =>
      assert.throws(change, (error) => error instanceof ServiceError && error.code === 'usage' && says.test(error.message))
    for (const text of ['0', '-1', '1.5', 'many', '', '1e3']) refused(() => clientChange({ slots: text }), /--slots/)
    for (const text of ['0', '-1', '0.001', 'x', '1000001']) refused(() => clientChange({ ratio: text }), /--ratio/)
    assert.deepEqual(clientChange({ ratio: '1000000' }), { ratioGoalPercent: 100_000_000 })
    for (const text of ['5', '0d', 'x', '1s', '101y']) refused(() => clientChange({ 'seed-time': text }), /--seed-time/)
    for (const text of ['0 8 * * *', '=1MB/1MB', '0 8 * * *=1MB', '0 8 * * *=fast/slow'])
      refused(() => clientChange({ at: [text] }), /./)
    for (const flag of ['local-down', 'local-up', 'remote-down', 'remote-up'] as const) {
      refused(() => clientChange({ [flag]: 'fast' }), /fast/)
      refused(() => torrentChange({ [flag]: '1MB' }), new RegExp(`--${flag} is of the client`))
    }
    for (const flag of ['connections', 'slots', 'downloads', 'seeds'] as const)
      refused(() => torrentChange({ [flag]: '3' }), new RegExp(`--${flag} is of the client`))
    refused(() => torrentChange({ at: ['none'] }), /--at is of the client/)
  })

  it('knows times of up to 100 years', () => {
    assert.equal(spanOf('--x', '100y'), SPAN_MS_MAX)
    assert.throws(() => spanOf('--x', '36501d'), /at most 100 years/)
    assert.equal(spanOf('--x', '90m'), 5_400_000)
  })
})
