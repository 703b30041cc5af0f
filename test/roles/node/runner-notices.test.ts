import assert from 'node:assert/strict'
import { runnerNotice } from '../../../src/roles/node/runner-notices.ts'

const error = new Error('no space left on device')

describe('what the runner of projections tells an operator', () => {
  it('is why a projection is folded again: a warning only where something is damaged', () => {
    for (const [reason, level, why] of [
      ['missing', 'info', 'nothing of it was stored'],
      ['version', 'info', 'it was stored by another version'],
      ['beyond-log', 'info', 'it had seen events that the log has lost'],
      ['damaged', 'warning', 'its stored rows are damaged'],
    ] as const)
      assert.deepEqual(runnerNotice({ what: 'rebuilding', projection: 'reputation', reason }), {
        ...{ level, code: 'projection.rebuilding', text: `reputation is folded from the log again: ${why}` },
      })
  })

  it('is what failed, and whether that mends itself', () => {
    const projection = 'reputation'
    assert.deepEqual(runnerNotice({ what: 'commit-failed', projection, error }), {
      ...{ level: 'warning', code: 'projection.not-stored' },
      text: 'reputation could not be stored (no space left on device); nothing is lost, the log has it; trying again',
    })
    assert.deepEqual(runnerNotice({ what: 'fold-failed', projection, seq: 7, error: 'a text' }), {
      ...{ level: 'error', code: 'projection.fold-failed', text: 'reputation passed over event 7: a text' },
    })
    assert.deepEqual(runnerNotice({ what: 'listener-failed', projection, error }), {
      ...{ level: 'error', code: 'projection.listener-failed' },
      text: 'a listener of reputation failed: no space left on device',
    })
  })
})
