import assert from 'node:assert/strict'
import { withProgress } from '../../../src/roles/node/with-progress.ts'

describe('a call with progress', () => {
  it('yields the last progress, and returns what the work gives', async () => {
    const call = withProgress<number, string>(async (report) => {
      for (let done = 1; done <= 3; done++) report(done)
      return 'all'
    })
    assert.deepEqual(await call.next(), { done: false, value: 3 })
    assert.deepEqual(await call.next(), { done: true, value: 'all' })
  })

  it('throws what the work throws, whether it was read in time or not', async () => {
    const call = withProgress(async () => {
      throw new Error('no')
    })
    await assert.rejects(call.next(), /no/)
  })

  it('aborts the work when it is closed early', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const call = withProgress<number, void>(async (report, signal) => {
      report(1)
      signal.addEventListener('abort', () => resolve())
      await aborted
    })
    await call.next()
    await call.return(undefined)
    await aborted
  })

  it('aborts work that reports nothing as soon as it is closed, though a value is waited for', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const call = withProgress<number, void>(async (_, signal) => {
      signal.addEventListener('abort', () => resolve())
      await new Promise(() => {})
    })
    const waiting = call.next()
    await call.return(undefined)
    await aborted
    assert.deepEqual(await waiting, { done: true, value: undefined })
    assert.deepEqual(await call.next(), { done: true, value: undefined })
  })

  it('starts no work for a reader that never reads', async () => {
    let started = false
    const call = withProgress(async () => {
      started = true
    })
    await call.return(undefined)
    assert.equal(started, false)
  })
})
