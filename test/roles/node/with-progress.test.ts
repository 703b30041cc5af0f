import assert from 'node:assert/strict'
import { mock } from 'node:test'
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

  it('yields what was reported last, five times a second, and nothing while nothing is reported', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const settled = () => new Promise((resolve) => setImmediate(resolve))
      const { promise: work, resolve: finish } = Promise.withResolvers<string>()
      let report: (done: number) => void = () => {}
      const call = withProgress<number, string>((given) => {
        report = given
        return work
      })
      let told: IteratorResult<number, string> | undefined
      const ask = async () => {
        told = undefined
        void call.next().then((step) => {
          told = step
        })
        await settled()
      }
      const pass = async (ms: number) => {
        mock.timers.tick(ms)
        await settled()
      }
      await ask()
      for (const done of [1, 2]) report(done)
      await pass(199)
      assert.equal(told, undefined)
      await pass(1)
      assert.deepEqual(told, { done: false, value: 2 })
      await ask()
      await pass(1_000)
      assert.equal(told, undefined, 'the same is not told twice')
      report(3)
      await pass(200)
      assert.deepEqual(told, { done: false, value: 3 })
      // The end is not waited for.
      await ask()
      finish('all')
      await settled()
      assert.deepEqual(told, { done: true, value: 'all' })
      assert.deepEqual(await call.next(), { done: true, value: undefined })
    } finally {
      mock.timers.reset()
    }
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
