import assert from 'node:assert/strict'
import { careForLog } from '../../../src/roles/node/log-care.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

describe('a log that cannot be written', () => {
  it('is told once, tried again ever more rarely, and told once when it can be', async () => {
    const time = new VirtualTime()
    const told: string[] = []
    const attempts: number[] = []
    let full = true
    let listener: (reason: string | undefined) => void = () => {}
    const log = {
      writeFailure: undefined as string | undefined,
      onWriteFailure(given: typeof listener) {
        listener = given
        return () => {}
      },
      async recover() {
        attempts.push(time.now() - failedAt)
        if (!full) set(undefined)
        return !full
      },
    }
    const set = (reason: string | undefined) => {
      log.writeFailure = reason
      listener(reason)
    }
    using care = careForLog({ log, timers: time, notices: { post: (level, _code, text) => told.push(`${level} ${text}`) } })
    assert.equal(care.waitingFor, null)
    const failedAt = time.now()
    set('No space left on device')
    assert.equal(care.waitingFor, 'its log, which cannot be written: No space left on device')
    await time.advance(100_000)
    assert.deepEqual(attempts, [1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000])
    full = false
    await time.advance(100_000)
    assert.equal(attempts.length, 8)
    assert.equal(care.waitingFor, null)
    assert.deepEqual(told, [
      'error the event log cannot be written: No space left on device. Nothing is recorded until it can be',
      'info the event log can be written again',
    ])
  })
})
