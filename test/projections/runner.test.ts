import assert from 'node:assert/strict'
import fc from 'fast-check'
import { upcastSteps } from '../../migrations/index.ts'
import { type Envelope, type EventLog, type Millis, upcaster } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import {
  createProjectionRunner,
  type Projection,
  type ProjectionStore,
  type RowChange,
  type RunnerNotice,
  type Turns,
} from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { TEST_NETWORK } from '../events/test-network.ts'
import { countedTurns } from './counted-turns.ts'
import { hash } from './envelopes.ts'

/** Counts completed downloads by info hash: the smallest projection with rows that come and change. */
type Counts = { counts: Map<string, number>; dirty: Set<string> }
const counting = (version = 1): Projection<Counts> => ({
  name: 'counts',
  version,
  handles: ['download.completed'],
  initial: () => ({ counts: new Map(), dirty: new Set() }),
  apply(state, { event }) {
    assert.equal(event.kind, 'download.completed')
    state.counts.set(event.infoHash, (state.counts.get(event.infoHash) ?? 0) + version)
    state.dirty.add(event.infoHash)
    return state
  },
  changes(state) {
    const changes = [...state.dirty].sort().map((key): RowChange => [key, String(state.counts.get(key))])
    state.dirty.clear()
    return changes
  },
  *rows({ counts }) {
    for (const key of [...counts.keys()].sort()) yield [key, String(counts.get(key))]
  },
  load: (rows) => ({ counts: new Map([...rows].map(([key, value]) => [key, Number(value)])), dirty: new Set() }),
})

/** Time that stands still until a test moves it. */
class ManualTimers {
  #waiting = new Map<() => void, number>()
  #now = 0
  after = (delayMs: number, run: () => void): (() => void) => {
    const once = () => run()
    this.#waiting.set(once, this.#now + delayMs)
    return () => this.#waiting.delete(once)
  }
  advance(ms: number): void {
    this.#now += ms
    for (const [run, at] of [...this.#waiting]) {
      if (at <= this.#now && this.#waiting.delete(run)) run()
    }
  }
  get pending(): number {
    return this.#waiting.size
  }
}

const openLog = (): EventLog =>
  openMemoryLog({
    signer: signerFromSeed(new Uint8Array(32).fill(7), TEST_NETWORK),
    clock: { now: () => 1 as Millis },
    upcast: upcaster(upcastSteps),
  })
const finished = (log: EventLog, ...names: string[]) =>
  log.append(names.map((name) => ({ event: { kind: 'download.completed', infoHash: hash(name) } })))
const other = (log: EventLog) => log.append([{ event: { kind: 'download.paused', infoHash: hash('x') } }])

function setUp(
  log: EventLog,
  store: ProjectionStore,
  options: { version?: number; checkpointEvents?: number; newTurns?: () => Turns } = {},
) {
  const timers = new ManualTimers()
  const notices: RunnerNotice[] = []
  const runner = createProjectionRunner<{ counts: Counts }>({
    log,
    store,
    projections: { counts: counting(options.version) },
    timers,
    newSha256,
    checkpointEvents: options.checkpointEvents ?? 1000,
    onNotice: (notice) => notices.push(notice),
    ...(options.newTurns === undefined ? {} : { newTurns: options.newTurns }),
  })
  const count = (name: string): number => runner.state('counts').counts.get(hash(name)) ?? 0
  return { runner, timers, notices, count }
}

/** A store whose commits can be made to fail or to wait. */
function troubled(inner: ProjectionStore) {
  const trouble = { failing: false, gate: Promise.resolve(), commits: 0 }
  const write = async (run: () => Promise<void>): Promise<void> => {
    trouble.commits += 1
    await trouble.gate
    if (trouble.failing) throw new Error('no space left on device')
    await run()
  }
  const store: ProjectionStore = {
    ...inner,
    commit: (...row) => write(() => inner.commit(...row)),
    replace: (...rows) => write(() => inner.replace(...rows)),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
  return { store, trouble }
}

describe('projection runner', () => {
  it('has every event in its states by the time the append is acknowledged', async () => {
    const log = openLog()
    const { runner, count } = setUp(log, openMemoryProjectionStore())
    await finished(log, 'a')
    await runner.open()
    assert.equal(count('a'), 1)
    await finished(log, 'a', 'b')
    assert.deepEqual([count('a'), count('b'), runner.applied], [2, 1, 3])
    await runner.close()
  })

  it('misses no event that is appended while it opens, and folds none twice', async () => {
    const log = openLog()
    for (let index = 0; index < 3000; index += 100) await finished(log, ...Array<string>(100).fill('a'))
    const { runner, count } = setUp(log, openMemoryProjectionStore())
    const opening = runner.open()
    const appended = Array.from({ length: 50 }, () => finished(log, 'a'))
    await Promise.all([opening, ...appended])
    assert.equal(count('a'), 3050)
    await runner.close()
  })

  it('goes on from its checkpoint, without reading what is before it', async () => {
    const log = openLog()
    const store = openMemoryProjectionStore()
    {
      const { runner } = setUp(log, store)
      await runner.open()
      await finished(log, 'a', 'b')
      await runner.close()
    }
    assert.equal((await store.load('counts'))?.checkpoint, 2)
    await finished(log, 'a')
    const read: number[] = []
    const watched: EventLog = Object.assign(Object.create(log) as EventLog, {
      readBatches: (range: { from?: number }) => {
        read.push(range.from ?? 1)
        return log.readBatches(range)
      },
      onAppended: (listener: (envelopes: readonly Envelope[]) => void) => log.onAppended(listener),
    })
    Object.defineProperty(watched, 'head', { get: () => log.head })
    const { runner, count, notices } = setUp(watched, store)
    await runner.open()
    assert.deepEqual([count('a'), count('b'), read, notices], [2, 1, [3], []])
    await runner.close()
  })

  it('makes the state again where the version differs, the rows are missing, damaged or ahead of the log, and says why', async () => {
    const rebuilt = async (prepare: (store: ProjectionStore) => Promise<ProjectionStore | undefined>) => {
      const log = openLog()
      await finished(log, 'a', 'a')
      const store = openMemoryProjectionStore()
      const { runner, count, notices } = setUp(log, (await prepare(store)) ?? store, { version: 2 })
      await runner.open()
      assert.equal(count('a'), 4)
      await runner.close()
      assert.deepEqual(await store.load('counts'), { version: 2, checkpoint: 2, rows: [[hash('a'), '4']] })
      return notices.map((notice) => (notice.what === 'rebuilding' ? notice.reason : notice.what))
    }
    const rows: RowChange[] = [
      [hash('a'), '1'],
      [hash('gone'), '9'],
    ]
    const commit = (version: number, checkpoint: number) => async (store: ProjectionStore) => {
      await store.commit('counts', version, checkpoint, rows)
      return undefined
    }
    assert.deepEqual(await rebuilt(async () => undefined), ['missing'])
    assert.deepEqual(await rebuilt(commit(1, 1)), ['version'])
    assert.deepEqual(await rebuilt(commit(2, 99)), ['beyond-log'])
    const damaged = await rebuilt(async (store) => {
      await commit(2, 1)(store)
      return { ...store, load: () => Promise.reject(new Error('checksum')) }
    })
    assert.deepEqual(damaged, ['damaged'])
  })

  it('stores after so many events, or after a while, and never holds up an append', async () => {
    const log = openLog()
    const { store, trouble } = troubled(openMemoryProjectionStore())
    const { runner, timers } = setUp(log, store, { checkpointEvents: 3 })
    await runner.open()
    const before = trouble.commits
    let open = (): void => undefined
    trouble.gate = new Promise((resolve) => {
      open = resolve
    })
    await finished(log, 'a', 'b', 'c')
    assert.equal(runner.checkpoints()[0]?.checkpoint, 0, 'the commit waits and the append did not')
    await finished(log, 'd')
    assert.equal(timers.pending, 1)
    open()
    timers.advance(1000)
    assert.equal(await runner.checkpoint(), true)
    assert.equal(runner.checkpoints()[0]?.checkpoint, 4)
    assert.ok(trouble.commits >= before + 2)
    await runner.close()
    assert.equal(timers.pending, 0)
  })

  it('keeps rows of a failed commit for the next one, and says so', async () => {
    const log = openLog()
    const inner = openMemoryProjectionStore()
    const { store, trouble } = troubled(inner)
    const { runner, timers, notices } = setUp(log, store)
    await runner.open()
    await finished(log, 'a', 'b')
    trouble.failing = true
    assert.equal(await runner.checkpoint(), false)
    assert.deepEqual(
      notices.map(({ what }) => what),
      ['commit-failed'],
    )
    await finished(log, 'a')
    trouble.failing = false
    timers.advance(1000)
    await runner.checkpoint()
    assert.deepEqual(
      new Map((await inner.load('counts'))?.rows),
      new Map([
        [hash('a'), '2'],
        [hash('b'), '1'],
      ]),
    )
    await runner.close()
  })

  it('has the state of a replay after a crash at any moment', async () => {
    const step = fc.oneof(
      fc.constantFrom('a', 'b', 'c').map((name) => ({ do: 'append' as const, name })),
      fc.constant({ do: 'checkpoint' as const }),
      fc.boolean().map((failing) => ({ do: 'disk' as const, failing })),
      fc.constant({ do: 'crash' as const }),
      fc.constant({ do: 'rebuild' as const }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const log = openLog()
        const inner = openMemoryProjectionStore()
        const { store, trouble } = troubled(inner)
        // What a dead process still wanted to write does not reach the disk.
        const process = () => {
          const life = { dead: false }
          const own: ProjectionStore = {
            ...store,
            commit: async (...row) => (life.dead ? Promise.reject(new Error('killed')) : store.commit(...row)),
            clear: async (name) => (life.dead ? Promise.reject(new Error('killed')) : store.clear(name)),
          }
          return { ...setUp(log, own, { checkpointEvents: 4 }), life }
        }
        let it = process()
        await it.runner.open()
        for (const step of steps) {
          if (step.do === 'append') await finished(log, step.name)
          if (step.do === 'checkpoint') void it.runner.checkpoint()
          if (step.do === 'disk') trouble.failing = step.failing
          if (step.do === 'rebuild') await it.runner.rebuild('counts')
          if (step.do === 'crash') {
            it.life.dead = true
            it = process()
            await it.runner.open()
          }
          assert.equal(it.runner.digest('counts'), await it.runner.digestAt('counts'))
        }
        trouble.failing = false
        await it.runner.checkpoint()
        assert.deepEqual((await inner.load('counts'))?.rows, [...counting().rows(it.runner.state('counts'))])
      }),
      { numRuns: 60 },
    )
  })

  it('rebuilds beside the live state, which goes on answering and following', async () => {
    const log = openLog()
    for (let index = 0; index < 30; index++) await finished(log, ...Array<string>(100).fill('a'))
    const seen: number[] = []
    const { runner, count } = setUp(log, openMemoryProjectionStore(), {
      newTurns: countedTurns(async () => {
        if (seen.length < 3 && runner.applied > 0) {
          await finished(log, 'a')
          seen.push(count('a'))
        }
      }).newTurns,
    })
    await runner.open()
    seen.length = 0
    const progress: number[] = []
    const before = runner.state('counts')
    const rebuilt = await runner.rebuild('counts', { onProgress: ({ done }) => progress.push(done) })
    assert.equal(seen.length, 3)
    assert.deepEqual(seen, [seen[0], Number(seen[0]) + 1, Number(seen[0]) + 2], 'the live state counted on')
    assert.notEqual(runner.state('counts'), before)
    assert.equal(count('a'), log.head)
    assert.equal(rebuilt.digestAfter, runner.digest('counts'))
    assert.equal(progress.at(-1), log.head)
    assert.deepEqual(
      progress,
      [...progress].sort((a, b) => a - b),
    )
    await runner.close()
  })

  it('gives others their turn in the midst of a batch, in a start, a rebuild and a look at the past', async () => {
    const log = openLog()
    const events = 3_000
    for (let round = 0; round < events / 100; round++) await finished(log, ...Array<string>(100).fill('a'))
    const turns = countedTurns()
    const { runner } = setUp(log, openMemoryProjectionStore(), { newTurns: turns.newTurns })
    const works: [string, () => Promise<unknown>][] = [
      ['start', () => runner.open()],
      ['rebuild', () => runner.rebuild('counts')],
      ['look at the past', () => runner.digestAt('counts')],
    ]
    for (const [name, work] of works) {
      const before = turns.count
      await work()
      // Each event takes 1 ms, and a turn 10 ms at most.
      assert.ok(turns.count - before >= events / 12, `${name}: ${turns.count - before} turns`)
    }
    await runner.close()
  })

  it('ends a rebuild whose caller goes, and keeps the state that it had', async () => {
    const log = openLog()
    for (let round = 0; round < 30; round++) await finished(log, ...Array<string>(100).fill('a'))
    const gone = new AbortController()
    const turns = countedTurns(async () => {
      if (turns.count === 5) gone.abort(new Error('the caller has gone'))
    })
    const { runner, count } = setUp(log, openMemoryProjectionStore())
    await runner.open()
    const cancelled = setUp(log, openMemoryProjectionStore(), { newTurns: turns.newTurns })
    await cancelled.runner.open()
    const after = turns.count
    const state = cancelled.runner.state('counts')
    await assert.rejects(cancelled.runner.rebuild('counts', { signal: gone.signal }), /the caller has gone/)
    assert.ok(turns.count - after <= 1, 'at once')
    assert.equal(cancelled.runner.state('counts'), state)
    assert.equal(count('a'), 3_000)
    await cancelled.runner.close()
    await runner.close()
  })

  it('tells states and digests of the past', async () => {
    const log = openLog()
    const { runner } = setUp(log, openMemoryProjectionStore())
    await runner.open()
    await finished(log, 'a')
    const digest = runner.digest('counts')
    await finished(log, 'a')
    assert.notEqual(runner.digest('counts'), digest)
    assert.equal(await runner.digestAt('counts', 1), digest)
    assert.equal((await runner.stateAt('counts', 1)).counts.get(hash('a')), 1)
    await runner.close()
  })

  it('tells listeners after each batch, with the events that are the projection’s', async () => {
    const log = openLog()
    const { runner, notices } = setUp(log, openMemoryProjectionStore())
    await runner.open()
    const told: [number | undefined, number[]][] = []
    const stop = runner.onChange('counts', ({ counts }, envelopes) =>
      told.push([counts.get(hash('a')), envelopes.map(({ seq }) => seq)]),
    )
    const stopThrowing = runner.onChange('counts', () => {
      throw new Error('a bug')
    })
    await finished(log, 'a', 'a')
    stopThrowing()
    await other(log)
    await finished(log, 'a')
    stop()
    await finished(log, 'a')
    assert.deepEqual(told, [
      [2, [1, 2]],
      [3, [4]],
    ])
    assert.deepEqual(
      notices.map(({ what }) => what),
      ['listener-failed'],
    )
    await runner.close()
  })

  it('keeps the rows of an older version until those of the new one are complete', async () => {
    const log = openLog()
    for (let round = 0; round < 30; round++) await finished(log, ...Array<string>(100).fill('a'))
    const store = openMemoryProjectionStore()
    const older = setUp(log, store)
    await older.runner.open()
    await older.runner.close()
    const seen: unknown[] = []
    const { newTurns } = countedTurns(async () => {
      seen.push((await store.load('counts'))?.version)
    })
    const newer = setUp(log, store, { version: 2, newTurns })
    await newer.runner.open()
    assert.ok(seen.length > 1)
    assert.deepEqual(new Set(seen), new Set([1]))
    assert.deepEqual(await store.load('counts'), { version: 2, checkpoint: 3000, rows: [[hash('a'), '6000']] })
    await newer.runner.close()
  })

  it('tries a failed checkpoint again after a while, until it is stored', async () => {
    const log = openLog()
    const { store, trouble } = troubled(openMemoryProjectionStore())
    const { runner, timers } = setUp(log, store)
    await runner.open()
    trouble.failing = true
    await finished(log, 'a')
    assert.equal(await runner.checkpoint(), false)
    assert.equal(timers.pending, 1)
    const before = trouble.commits
    trouble.failing = false
    timers.advance(1_000)
    assert.equal(await runner.checkpoint(), true)
    assert.ok(trouble.commits > before)
    assert.equal(runner.checkpoints()[0]?.checkpoint, 1)
    assert.equal(timers.pending, 0)
    await runner.close()
  })

  it('is closed when the last rows are stored', async () => {
    const log = openLog()
    const { store, trouble } = troubled(openMemoryProjectionStore())
    const { runner } = setUp(log, store)
    await runner.open()
    await finished(log, 'a')
    const { promise, resolve } = Promise.withResolvers<void>()
    trouble.gate = promise
    let isClosed = false
    const closing = runner.close().then(() => {
      isClosed = true
    })
    await new Promise<void>((done) => setImmediate(done))
    assert.equal(isClosed, false)
    resolve()
    await closing
    assert.equal((await store.load('counts'))?.checkpoint, 1)
  })

  it('makes the state again where the rows are one event ahead of the log', async () => {
    const log = openLog()
    await finished(log, 'a')
    const store = openMemoryProjectionStore()
    await store.commit('counts', 1, 2, [[hash('a'), '7']])
    const { runner, notices, count } = setUp(log, store)
    await runner.open()
    assert.deepEqual(
      notices.map((notice) => notice.what === 'rebuilding' && notice.reason),
      ['beyond-log'],
    )
    assert.equal(count('a'), 1)
    await runner.close()
  })

  it('folds an event once, also if the log tells of it a second time', async () => {
    const inner = openLog()
    const [first] = await finished(inner, 'a')
    assert.ok(first)
    let tell: (envelopes: readonly Envelope[]) => void = () => {}
    const log = { head: 1, readBatches: inner.readBatches.bind(inner), snapshot: async () => [] }
    const onAppended = (listener: typeof tell) => {
      tell = listener
      return () => {}
    }
    const { runner, count } = setUp({ ...log, onAppended } as unknown as EventLog, openMemoryProjectionStore())
    await runner.open()
    tell([first, { ...first, seq: 2 }])
    assert.equal(count('a'), 2)
    await runner.close()
  })

  it('makes no snapshot on the way of a state that began with one of the log', async () => {
    const inner = openLog()
    for (const name of ['a', 'b', 'c']) await finished(inner, name)
    const log = {
      head: 3,
      onAppended: () => () => {},
      snapshot: async () => [[hash('z'), '5']] as const,
      async *readBatches() {
        for await (const envelope of inner.read()) yield [envelope]
      },
    }
    const store = openMemoryProjectionStore()
    const runner = createProjectionRunner<{ counts: Counts }>({
      ...{ log, store, projections: { counts: counting() }, timers: new ManualTimers(), newSha256 },
      snapshotEvents: 1,
    })
    await runner.open()
    assert.deepEqual(
      (await store.snapshots('counts')).map(({ seq }) => seq),
      [3],
    )
    assert.deepEqual((await store.load('counts'))?.rows.length, 4)
    await runner.close()
  })
})
