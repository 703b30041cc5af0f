import assert from 'node:assert/strict'
import { type Draft, type InfoHash, LogError, type SignedEvent } from '../../../src/events/index.ts'
import type { Commit } from '../../../src/events/log/commit-plan.ts'
import { CommittedLog, reasonOf } from '../../../src/events/log/committed-log.ts'
import { LogState } from '../../../src/events/log/log-state.ts'
import { foreign, noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'

const local: Draft = { event: { kind: 'node.stopped', reason: 'x' } }
const index: Draft = { event: { kind: 'torrent.withdrawn', infoHash: 'ab'.repeat(20) as InfoHash, title: 'x' } }

/** What runs between two commits of such a log. */
class PausedLog extends CommittedLog {
  pause<T>(run: () => Promise<T>): Promise<T> {
    return this.between(run)
  }
}

/** A log over a store that remembers what it was asked for; each write waits for `gate`, and fails with `failure`. */
function scene() {
  const writes: { events: number; durable: boolean }[] = []
  const steps: string[] = []
  const store = { failure: undefined as Error | undefined, gate: Promise.resolve() }
  const log = new PausedLog(
    new LogState(),
    {
      async write({ events }: Commit, durable: boolean) {
        writes.push({ events: events.length, durable })
        await store.gate
        if (store.failure !== undefined) throw store.failure
        steps.push('written')
      },
      async *batches() {},
      signedAt: async () => [],
      snapshot: async () => [],
      arrivals: [],
      bytesOnDisk: async () => 0,
      async close() {
        steps.push('closed')
      },
    },
    { signer: signerOf(1), clock: tickingClock(), upcast: noUpcast },
  )
  return { log, writes, store, steps }
}
const foreigners = (count: number): SignedEvent[] =>
  Array.from({ length: count }, (_, index) => foreign(signerOf(2), index + 1, index + 1))

describe('a log of commits', () => {
  it('has on the disk what peers may see before it says so, and what is private when asked to', async () => {
    const { log, writes } = scene()
    for (const draft of [numbered(1), index, local]) await log.append([draft])
    await log.append([local], { durable: true })
    await log.append([numbered(2)], { durable: false })
    await log.append([local, numbered(3)])
    await log.ingest(foreigners(1))
    assert.deepEqual(
      writes.map(({ durable }) => durable),
      [true, true, false, true, false, true, false],
    )
  })

  it('makes a commit durable when any of those in it asked for that', async () => {
    const { log, writes } = scene()
    await Promise.all([log.append([local]), log.append([local], { durable: true }), log.append([local])])
    assert.deepEqual(writes, [{ events: 3, durable: true }])
  })

  it('signs 256 events and takes 1,024 in one commit at most, unless one call has more', async () => {
    const { log, writes } = scene()
    const drafts = (count: number): Draft[] => Array.from({ length: count }, () => local)
    await Promise.all([log.append(drafts(200)), log.append(drafts(56)), log.append(drafts(1)), log.append(drafts(300))])
    await Promise.all([log.ingest(foreigners(1_024)), log.ingest(foreigners(1))])
    const more = foreigners(2_100).slice(1_024)
    const outcomes = await log.ingest(more)
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'appended').length, more.length)
    assert.deepEqual(
      writes.map(({ events }) => events),
      [256, 1, 300, 1_024, 1_024, 52],
    )
  })

  it('is closed after what is being written', async () => {
    const { log, store, steps } = scene()
    const { promise, resolve } = Promise.withResolvers<void>()
    store.gate = promise
    const appended = log.append([local])
    await new Promise<void>((done) => setImmediate(done))
    const closing = log[Symbol.asyncDispose]()
    await assert.rejects(log.append([local]), { code: 'LOG_CLOSED' })
    await new Promise<void>((done) => setImmediate(done))
    assert.deepEqual(steps, [])
    resolve()
    await Promise.all([appended, closing])
    assert.deepEqual(steps, ['written', 'closed'])
  })

  it('tells when it can no longer be written, once, and when it can be again; a failed write uses up no number', async () => {
    const { log, store } = scene()
    const told: (string | undefined)[] = []
    const stop = log.onWriteFailure((reason) => told.push(reason))
    store.failure = new Error('binding', { cause: new Error('No space left on device') })
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(log.append([numbered(1)]), (error) => error instanceof LogError && error.code === 'LOG_WRITE_FAILED')
    assert.deepEqual([told, log.writeFailure, log.head], [['No space left on device'], 'No space left on device', 0])
    store.failure = undefined
    const [first] = await log.append([numbered(1)])
    assert.deepEqual([first?.seq, first?.authorSeq, first?.lamport], [1, 1, 1])
    assert.deepEqual([told, log.writeFailure], [['No space left on device', undefined], undefined])
    stop()
    store.failure = new Error('again')
    await assert.rejects(log.append([local]))
    assert.equal(told.length, 2)
  })

  it('tells each listener, also one that was given twice, until it is taken out', async () => {
    const { log } = scene()
    let told = 0
    const listener = (): void => void told++
    const stop = log.onAppended(listener)
    log.onAppended(listener)
    await log.append([local])
    assert.equal(told, 2)
    stop()
    await log.append([local])
    assert.equal(told, 3)
  })

  it('reports what a listener throws to the process, and tells the others and the appender', async () => {
    const { log } = scene()
    const reported: unknown[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (reason) => reported.push(reason))
    try {
      const bug = new Error('a bug')
      const told: number[] = []
      log.onAppended(() => {
        throw bug
      })
      log.onAppended((envelopes) => void told.push(...envelopes.map(({ seq }) => seq)))
      assert.equal((await log.append([local])).length, 1)
      await new Promise<void>((done) => setImmediate(done))
      assert.deepEqual([told, reported], [[1], [bug]])
    } finally {
      process.removeAllListeners('unhandledRejection')
      for (const listener of listeners) process.on('unhandledRejection', listener)
    }
  })

  it('refuses a draft to its caller alone, and commits what came with it', async () => {
    const { log, writes } = scene()
    const long: Draft = { event: { kind: 'node.stopped', reason: 'x'.repeat(1_000_000) } }
    const calls = await Promise.allSettled([log.append([local]), log.append([local, long]), log.append([local])])
    assert.deepEqual(
      calls.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual([writes.map(({ events }) => events), log.head], [[2], 2])
    await assert.rejects(log.append([long]))
    assert.equal(writes.length, 1, 'nothing is written where nothing is left')
  })

  it('writes nothing where all that came is here already, and fails all that were in one write', async () => {
    const { log, writes, store } = scene()
    await log.ingest(foreigners(2))
    assert.deepEqual(
      (await log.ingest(foreigners(2))).map(({ outcome }) => outcome),
      ['duplicate', 'duplicate'],
    )
    assert.equal(writes.length, 1)
    const cause = new Error('Input/output error')
    store.failure = cause
    const calls = await Promise.allSettled([log.append([local]), log.append([local])])
    for (const call of calls) {
      assert.ok(call.status === 'rejected' && call.reason instanceof LogError)
      assert.deepEqual([call.reason.code, call.reason.cause], ['LOG_WRITE_FAILED', cause])
      assert.deepEqual(call.reason.detail, { code: 'LOG_WRITE_FAILED', reason: 'Input/output error' })
    }
    assert.equal(writes.length, 2, 'they were one commit')
  })

  it('tells of a failure only as long as somebody listens, and each of them', async () => {
    const { log, store } = scene()
    const told: string[] = []
    const listener = (reason: string | undefined) => void told.push(String(reason))
    const stop = log.onWriteFailure(listener)
    log.onWriteFailure(listener)
    store.failure = new Error('full')
    await assert.rejects(log.append([local]))
    assert.deepEqual(told, ['full', 'full'])
    stop()
    store.failure = undefined
    await log.append([local])
    assert.deepEqual(told, ['full', 'full', 'undefined'])
  })

  it('runs something between two commits, while appends wait', async () => {
    const { log, store, steps } = scene()
    const gate = Promise.withResolvers<void>()
    store.gate = gate.promise
    const turn = () => new Promise<void>((done) => setImmediate(done))
    const before = log.append([local])
    await turn()
    const end = Promise.withResolvers<void>()
    const pause = (name: string) =>
      log.pause(async () => {
        steps.push(name)
        await end.promise
        steps.push(`${name} is over`)
        return name
      })
    const paused = Promise.all([pause('one'), pause('two')])
    await turn()
    assert.deepEqual(steps, [], 'the commit before is under way')
    gate.resolve()
    await before
    await turn()
    const after = log.append([local])
    await turn()
    assert.deepEqual(steps, ['written', 'one'])
    end.resolve()
    assert.deepEqual(await paused, ['one', 'two'])
    await after
    assert.deepEqual(
      steps.filter((step) => step !== 'written'),
      ['one', 'one is over', 'two', 'two is over'],
    )
    assert.equal(log.head, 2)
  })

  it('goes on after what ran between failed, and runs nothing when it is closed', async () => {
    const { log, steps } = scene()
    const bug = new Error('a bug')
    const failing = log.pause(() => Promise.reject(bug))
    const appended = log.append([local])
    await assert.rejects(failing, bug)
    await appended
    const last = log.append([local])
    const closing = log[Symbol.asyncDispose]()
    await assert.rejects(
      log.pause(async () => void steps.push('late')),
      { code: 'LOG_CLOSED' },
    )
    await Promise.all([last, closing])
    assert.deepEqual(steps, ['written', 'written', 'closed'])
  })

  it('names the innermost reason', () => {
    assert.equal(reasonOf(new Error('a', { cause: new Error('b', { cause: new Error('c') }) })), 'c')
    assert.equal(reasonOf('text'), 'text')
  })
})
