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

  it('hands on what comes after the signal, and nothing that came before it', async () => {
    const late: string[] = []
    const keep = (outcome: string) => late.push(outcome)
    for (const abortsFirst of [true, false]) {
      const stop = new AbortController()
      const opening = Promise.withResolvers<string>()
      if (abortsFirst) stop.abort(new Error('enough'))
      const work = untilAborted(opening.promise, stop.signal, keep)
      stop.abort(new Error('enough'))
      await assert.rejects(work, /enough/)
      opening.resolve(String(abortsFirst))
    }
    assert.equal(await untilAborted(Promise.resolve('in time'), new AbortController().signal, keep), 'in time')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(late, ['true', 'false'])
    const stop = new AbortController()
    const failing = Promise.withResolvers<string>()
    const work = untilAborted(failing.promise, stop.signal, keep)
    stop.abort(new Error('enough'))
    await assert.rejects(work, /enough/)
    failing.reject(new Error('nobody waits for it'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(late.length, 2)
  })
})
