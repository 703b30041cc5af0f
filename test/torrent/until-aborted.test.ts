import assert from 'node:assert/strict'
import { untilAborted } from '../../src/torrent/until-aborted.ts'

describe('work until a signal', () => {
  it('has its own outcome without a signal, or before it', async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      assert.equal(await untilAborted(Promise.resolve(1), signal), 1)
      await assert.rejects(untilAborted(Promise.reject(new Error('its own')), signal), /its own/)
    }
  })

  it('is given up with the reason of the signal, whether that came before or comes during it', async () => {
    const never = new Promise<void>(() => {})
    await assert.rejects(untilAborted(never, AbortSignal.abort(new Error('before'))), /before/)
    const stop = new AbortController()
    const work = untilAborted(never, stop.signal)
    stop.abort(new Error('during'))
    await assert.rejects(work, /during/)
  })
})
