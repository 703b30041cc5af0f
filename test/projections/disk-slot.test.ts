import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Envelope, EventLog, Millis, NodeId } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import {
  createProjectionRunner,
  type DiskProjection,
  type ProjectionStore,
  ProjectionStoreError,
  type RunnerNotice,
} from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import type { RowTable, StoredTable } from '../../src/projections/row-table.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { noUpcast, signerOf } from '../events/samples.ts'
import { hash } from './envelopes.ts'

/** Counts completed downloads by info hash, in rows: not idempotent, so that an event that is folded twice is found out. */
type Counts = { readonly rows: RowTable; readonly folded: number[] }

const numberIn = (row: Uint8Array | undefined): number => row?.[0] ?? 0

const counting = (version = 1, onTidy = () => {}): DiskProjection<Counts> => ({
  name: 'counts',
  version,
  handles: ['download.completed'],
  onDisk: true,
  open: (rows) => ({ rows, folded: [] }),
  apply({ rows, folded }, { event, seq }) {
    assert.equal(event.kind, 'download.completed')
    rows.put(event.infoHash, Uint8Array.of(numberIn(rows.get(event.infoHash)) + version))
    rows.put('total', Uint8Array.of(numberIn(rows.get('total')) + version))
    folded.push(seq)
  },
  flushSome: () => false,
  flush() {},
  async tidy() {
    await setImmediate()
    onTidy()
  },
  digest: ({ rows }) => String(numberIn(rows.get('total'))),
})

const STILL = { after: () => () => {} }
const ME = signerOf(1)
const openLog = (): EventLog => openMemoryLog({ signer: ME, clock: { now: () => 1 as Millis }, upcast: noUpcast })
const finished = (log: EventLog, ...names: string[]): Promise<readonly Envelope[]> =>
  log.append(names.map((name) => ({ event: { kind: 'download.completed', infoHash: hash(name) } })))

async function setUp(log: EventLog, store: ProjectionStore, { version = 1, checkpointEvents = 1000, onTidy = () => {} } = {}) {
  const notices: RunnerNotice[] = []
  const runner = createProjectionRunner<{ counts: Counts }>({
    ...{ log, store, projections: { counts: counting(version, onTidy) }, timers: STILL, newSha256, checkpointEvents },
    onNotice: (notice) => notices.push(notice),
  })
  const count = (name: string): number => numberIn(runner.state('counts').rows.get(hash(name)))
  return { runner, notices, count }
}

async function started(...args: Parameters<typeof setUp>) {
  const all = await setUp(...args)
  await all.runner.open()
  return all
}

/** The same store, whose tables can be made to fail: in what they read, or when they are committed. */
function troubled(inner: ProjectionStore) {
  const trouble = { damagedKey: '', failing: false, tables: [] as string[] }
  const wrapped = new WeakMap<StoredTable, StoredTable>()
  const wrap = (table: StoredTable): StoredTable => {
    const damaged = (key: string) => {
      if (key === trouble.damagedKey)
        throw new ProjectionStoreError({ code: 'STORE_DAMAGED', projection: 'counts', reason: 'flipped' })
    }
    const outer: StoredTable = {
      version: table.version,
      get checkpoint() {
        return table.checkpoint
      },
      get(key) {
        damaged(key)
        return table.get(key)
      },
      need: (key) => table.need(key),
      put: (key, value) => table.put(key, value),
      delete: (key) => table.delete(key),
      putApart: (rows) => table.putApart(rows),
      clear: (from, to) => table.clear(from, to),
      async commit(checkpoint) {
        if (trouble.failing) throw new Error('no space left on device')
        await table.commit(checkpoint)
      },
    }
    wrapped.set(outer, table)
    return outer
  }
  const store: ProjectionStore = {
    ...inner,
    async openTable(name) {
      const table = await inner.openTable(name)
      return table && wrap(table)
    },
    async beginTable(name, version) {
      trouble.tables.push('begin')
      return wrap(await inner.beginTable(name, version))
    },
    async dropBegun(name) {
      trouble.tables.push('drop')
      await inner.dropBegun(name)
    },
    adoptTable: (name, table) => inner.adoptTable(name, wrapped.get(table) ?? table),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
  return { store, trouble }
}

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `name ${at % 7}`)

describe('a projection on disk', () => {
  it('has every event by the time the append is acknowledged, and stands after a restart where it stood', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    {
      const { runner, count } = await started(log, store)
      await finished(log, 'a', 'b', 'a')
      assert.deepEqual([count('a'), count('b'), runner.applied], [2, 1, 3])
      await runner.close()
    }
    const { runner, notices, count } = await started(log, store)
    assert.deepEqual([count('a'), runner.state('counts').folded, notices], [2, [], []])
    await finished(log, 'a')
    assert.deepEqual(runner.state('counts').folded, [4])
    await runner.close()
  })

  it('folds again after a crash what was not committed, and nothing else', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner } = await started(log, store)
    await finished(log, 'a', 'a')
    assert.equal(await runner.checkpoint(), true)
    await finished(log, 'a', 'b')
    // It is not closed: what came since the checkpoint is in memory alone.
    const again = await started(log, store)
    assert.deepEqual([again.runner.state('counts').folded, again.count('a'), again.count('b')], [[3, 4], 3, 1])
  })

  it('goes on with a first replay that a crash cut off, and answers by the old version until then', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const old = await started(log, store)
    await finished(log, ...many(5000))
    await old.runner.close()
    const cut = {
      ...log,
      readBatches: log.readBatches.bind(log),
      get head() {
        return log.head
      },
    } as EventLog
    let batches = 0
    cut.readBatches = async function* (range) {
      for await (const batch of log.readBatches(range)) {
        if (++batches > 2) throw new Error('killed')
        yield batch
      }
    }
    cut.onAppended = log.onAppended.bind(log)
    cut.snapshot = log.snapshot.bind(log)
    const killed = await setUp(cut, store, { version: 2, checkpointEvents: 500 })
    await assert.rejects(killed.runner.open(), /killed/)
    assert.deepEqual(
      killed.notices.map((notice) => notice.what === 'rebuilding' && notice.reason),
      ['version'],
    )
    assert.equal((await store.openTable('counts'))?.version, 1, 'the old one is there as long as nothing is in its place')
    const { runner, count } = await started(log, store, { version: 2, checkpointEvents: 500 })
    const { folded } = runner.state('counts')
    assert.ok((folded[0] ?? 0) > 500 && folded.length < 4500, `went on at ${folded[0]}`)
    assert.equal(count('name 3') % 256, (2 * Math.ceil((5000 - 3) / 7)) % 256)
    assert.equal((await store.openTable('counts'))?.version, 2)
    await runner.close()
  })

  it('is made again beside the old state, which answers and follows meanwhile', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner, count } = await started(log, store, { checkpointEvents: 10 })
    await finished(log, ...many(40))
    const before = runner.state('counts')
    let during = 0
    const { digestBefore, digestAfter, events } = await runner.rebuild('counts', {
      onProgress() {
        if (during++ > 0) return
        assert.equal(runner.state('counts'), before)
        void finished(log, 'name 1')
      },
    })
    assert.deepEqual([digestBefore, digestAfter, events], ['41', '41', 41])
    assert.notEqual(runner.state('counts'), before)
    assert.equal(count('name 1'), 7)
    await runner.close()
    const again = await started(log, store)
    assert.deepEqual([again.runner.state('counts').folded, again.count('name 1')], [[], 7])
  })

  it('is the state that it was when a rebuild is called off, and two rebuilds come one after the other', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner } = await started(log, store)
    await finished(log, ...many(3000))
    const before = runner.state('counts')
    const gone = new AbortController()
    const calledOff = runner.rebuild('counts', { signal: gone.signal, onProgress: () => gone.abort(new Error('gone')) })
    await assert.rejects(calledOff, /gone/)
    assert.equal(runner.state('counts'), before)
    const [one, two] = await Promise.all([runner.rebuild('counts'), runner.rebuild('counts')])
    assert.deepEqual([one.digestAfter, two.digestAfter], [one.digestBefore, one.digestBefore])
    await runner.close()
  })

  it('keeps its state when it is called off at the very end', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    let onTidy = (): void => {}
    const { runner } = await started(log, store, { onTidy: () => onTidy() })
    await finished(log, 'a', 'b')
    const before = runner.state('counts')
    const gone = new AbortController()
    onTidy = () => gone.abort(new Error('gone'))
    await assert.rejects(runner.rebuild('counts', { signal: gone.signal }), /gone/)
    assert.equal(runner.state('counts'), before)
    await runner.close()
  })

  it('is made again from the first event where what it has of a first replay is damaged', async () => {
    const log = openLog()
    await finished(log, ...many(50))
    const { store, trouble } = troubled(openMemoryProjectionStore())
    trouble.damagedKey = hash('name 3')
    const { runner, count } = await started(log, store, { checkpointEvents: 10 })
    trouble.damagedKey = ''
    await runner.rebuild('counts')
    assert.deepEqual(trouble.tables.slice(0, 3), ['begin', 'drop', 'begin'])
    assert.deepEqual([count('name 3'), runner.digest('counts')], [7, '50'])
    await runner.close()
  })

  it('is made again, once, when a row is not what was written, whoever comes upon it', async () => {
    const log = openLog()
    const { store, trouble } = troubled(openMemoryProjectionStore())
    const { runner, notices, count } = await started(log, store)
    await finished(log, 'a', 'b', 'a')
    await runner.checkpoint()
    trouble.damagedKey = hash('a')
    assert.throws(() => count('a'), { code: 'STORE_DAMAGED' })
    assert.throws(() => count('a'), { code: 'STORE_DAMAGED' })
    trouble.damagedKey = ''
    const again = await runner.rebuild('counts')
    assert.equal(again.digestAfter, '3')
    assert.deepEqual(
      notices.map((notice) => (notice.what === 'rebuilding' ? `${notice.what} ${notice.reason}` : notice.what)),
      ['rebuilding damaged'],
    )
    assert.equal(count('a'), 2)
    await runner.close()
  })

  it('passes over no event where a row cannot be read while it is folded', async () => {
    const log = openLog()
    const { store, trouble } = troubled(openMemoryProjectionStore())
    const { runner, notices, count } = await started(log, store)
    await finished(log, 'a')
    trouble.damagedKey = hash('a')
    await finished(log, 'a', 'b')
    trouble.damagedKey = ''
    await runner.rebuild('counts')
    assert.deepEqual([count('a'), count('b')], [2, 1])
    assert.ok(notices.every(({ what }) => what === 'rebuilding'))
    await runner.close()
  })

  it('stores with a later checkpoint what could not be stored', async () => {
    const log = openLog()
    const inner = openMemoryProjectionStore()
    const { store, trouble } = troubled(inner)
    const { runner, notices, count } = await started(log, store)
    await finished(log, 'a')
    trouble.failing = true
    assert.equal(await runner.checkpoint(), false)
    await finished(log, 'a')
    assert.deepEqual([count('a'), notices.map(({ what }) => what)], [2, ['commit-failed']])
    trouble.failing = false
    assert.equal(await runner.checkpoint(), true)
    const again = await started(log, inner)
    assert.deepEqual([again.runner.state('counts').folded, again.count('a')], [[], 2])
  })

  it('tells its digest at any event, and leaves nothing behind', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner } = await started(log, store)
    await finished(log, ...many(20))
    for (const seq of [0, 1, 13, 20]) assert.equal(await runner.digestAt('counts', seq), String(seq))
    await assert.rejects(runner.stateAt('counts', 3), RangeError)
    assert.equal(runner.digest('counts'), '20')
    await runner.close()
  })

  it('of which nothing can be taken out is made again when authors are forgotten', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner } = await started(log, store)
    await finished(log, 'a', 'b')
    const before = runner.state('counts')
    await runner.forget('counts', new Set<NodeId>([ME.id]))
    assert.notEqual(runner.state('counts'), before)
    assert.equal(runner.digest('counts'), '2', 'this log still has what was said')
    await runner.close()
  })

  it('begins anew where its rows have seen events that the log lost', async () => {
    const [log, store] = [openLog(), openMemoryProjectionStore()]
    const { runner } = await started(log, store)
    await finished(log, 'a', 'b')
    await runner.close()
    const shorter = openLog()
    await finished(shorter, 'a')
    const again = await started(shorter, store)
    assert.deepEqual(
      again.notices.map((notice) => notice.what === 'rebuilding' && notice.reason),
      ['beyond-log'],
    )
    assert.deepEqual([again.count('a'), again.count('b')], [1, 0])
    await again.runner.close()
  })
})
