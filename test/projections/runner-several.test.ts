import assert from 'node:assert/strict'
import type { Envelope, EventLog, Millis } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import {
  createProjectionRunner,
  type DiskProjection,
  type Projection,
  type ProjectionStore,
  type RunnerOptions,
} from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { noUpcast, signerOf } from '../events/samples.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { hash } from './envelopes.ts'

/** Lists the sequences of the events that it folded: one that is folded twice, or out of order, stands out. */
type Seen = { seqs: number[]; isChanged: boolean }

const listing = (name: string, handles: Projection<Seen>['handles']): Projection<Seen> => ({
  ...{ name, version: 1, handles },
  initial: () => ({ seqs: [], isChanged: false }),
  apply(state, { seq }) {
    state.seqs.push(seq)
    state.isChanged = true
    return state
  },
  changes(state) {
    const changed = state.isChanged
    state.isChanged = false
    return changed ? [['seqs', JSON.stringify(state.seqs)]] : []
  },
  rows: ({ seqs }) => (seqs.length === 0 ? [] : [['seqs', JSON.stringify(seqs)]]),
  load: (rows) => ({ seqs: [...rows].flatMap(([, value]) => JSON.parse(value) as number[]), isChanged: false }),
})

type Looking = { seqs: number[]; look: () => unknown }
/** On disk, and looks at another projection of the same runner. */
const looking: DiskProjection<Looking> = {
  ...{ name: 'looking', version: 1, handles: ['download.completed'], onDisk: true },
  open: (_rows, stateOf) => ({ seqs: [], look: () => stateOf('done') }),
  apply: ({ seqs }, { seq }) => void seqs.push(seq),
  flushSome: () => false,
  flush: () => {},
  tidy: async () => {},
  digest: ({ seqs }) => String(seqs),
}

type States = { done: Seen; paused: Seen }
const openLog = (): EventLog => openMemoryLog({ signer: signerOf(1), clock: { now: () => 1 as Millis }, upcast: noUpcast })
const say = (log: EventLog, ...kinds: ('completed' | 'paused' | 'resumed')[]): Promise<readonly Envelope[]> =>
  log.append(kinds.map((kind) => ({ event: { kind: `download.${kind}` as const, infoHash: hash('film') } })))

function running(log: RunnerOptions<States>['log'], store: ProjectionStore, options: Partial<RunnerOptions<States>> = {}) {
  const time = new VirtualTime()
  const runner = createProjectionRunner<States>({
    ...{ log, store, timers: time, newSha256 },
    projections: { done: listing('done', ['download.completed']), paused: listing('paused', ['download.paused']) },
    ...options,
  })
  return { runner, time, seqs: () => [runner.state('done').seqs, runner.state('paused').seqs] }
}

describe('several projections in one runner', () => {
  it('are each brought level from where it stands, with no event twice', async () => {
    const log = openLog()
    await say(log, 'completed', 'paused', 'completed', 'paused', 'completed', 'paused', 'resumed')
    const store = openMemoryProjectionStore()
    // One is there up to the middle, the other has only begun.
    await store.commit('done', 1, 3, [['seqs', '[1,3]']])
    await store.commit('paused', 1, 1, [])
    const { runner, seqs } = running(log, store)
    const progress: { done: number; total: number }[] = []
    await runner.open({ onProgress: (each) => progress.push(each) })
    assert.deepEqual(seqs(), [
      [1, 3, 5],
      [2, 4, 6],
    ])
    assert.equal(runner.applied, 7, 'also what none of them handles')
    assert.deepEqual(
      runner.checkpoints().map(({ name, checkpoint }) => [name, checkpoint]),
      [
        ['done', 7],
        ['paused', 7],
      ],
    )
    assert.deepEqual(progress.at(-1), { done: 7, total: 7 })
    await say(log, 'paused')
    assert.deepEqual([runner.applied, seqs()[1]], [8, [2, 4, 6, 8]])
    await runner.close()
  })

  it('read nothing of the log where all are level with it', async () => {
    const log = openLog()
    await say(log, 'completed', 'paused')
    const store = openMemoryProjectionStore()
    await store.commit('done', 1, 2, [['seqs', '[1]']])
    await store.commit('paused', 1, 2, [['seqs', '[2]']])
    const watched = {
      ...{ head: log.head, onAppended: () => () => {}, snapshot: async () => [] },
      readBatches: () => assert.fail('it was read'),
    }
    const { runner, seqs } = running(watched, store)
    await runner.open()
    assert.deepEqual(seqs(), [[1], [2]])
    await runner.close()
  })

  it('are stored a second after an event by default, and after the time that is set', async () => {
    for (const checkpointAfterMs of [undefined, 50]) {
      const log = openLog()
      const store = openMemoryProjectionStore()
      const { runner, time } = running(log, store, checkpointAfterMs === undefined ? {} : { checkpointAfterMs })
      await runner.open()
      await say(log, 'completed')
      const afterMs = checkpointAfterMs ?? 1_000
      await time.advance(afterMs - 1)
      assert.equal((await store.load('done'))?.checkpoint ?? 0, 0)
      await say(log, 'completed')
      await time.advance(1)
      assert.deepEqual((await store.load('done'))?.rows, [['seqs', '[1,2]']])
      await runner.close()
    }
  })

  it('are stored again, by themselves, until none has failed', async () => {
    const log = openLog()
    const inner = openMemoryProjectionStore()
    let isFull = false
    const commit: ProjectionStore['commit'] = async (name, ...rest) => {
      if (isFull && name === 'paused') throw new Error('no space left on device')
      await inner.commit(name, ...rest)
    }
    const store: ProjectionStore = { ...inner, commit, replace: inner.replace.bind(inner) }
    const { runner, time } = running(log, store)
    await runner.open()
    await say(log, 'completed', 'paused')
    isFull = true
    assert.equal(await runner.checkpoint(), false, 'one of two is not stored')
    assert.deepEqual((await inner.load('done'))?.rows, [['seqs', '[1]']])
    await time.advance(1_000)
    assert.deepEqual((await inner.load('paused'))?.rows ?? [], [])
    isFull = false
    await time.advance(1_000)
    assert.deepEqual((await inner.load('paused'))?.rows, [['seqs', '[2]']])
    await runner.close()
  })

  it('look at each other’s present state, and have no past that is read where they stand on disk', async () => {
    const log = openLog()
    const runner = createProjectionRunner<{ done: Seen; looking: Looking }>({
      ...{ log, store: openMemoryProjectionStore(), timers: new VirtualTime(), newSha256 },
      projections: { done: listing('done', ['download.completed']), looking },
    })
    await runner.open()
    await say(log, 'completed')
    const state = runner.state('looking')
    assert.deepEqual([state.seqs, state.look()], [[1], runner.state('done')])
    await assert.rejects(runner.stateAt('looking', 1), new RangeError('looking is on disk'))
    await runner.close()
  })

  it('are asked for by their names alone', async () => {
    const { runner } = running(openLog(), openMemoryProjectionStore())
    const unknown = 'other' as 'done'
    const refusal = new RangeError('there is no projection other')
    for (const ask of [runner.state, runner.digest, (name: 'done') => runner.onChange(name, () => {}), runner.rebuild])
      assert.throws(() => ask(unknown), refusal)
    await runner.close()
  })

  it('follow the log no more when they are closed, and store nothing if they were not open', async () => {
    const log = openLog()
    const store = openMemoryProjectionStore()
    await store.commit('done', 1, 1, [['seqs', '[9]']])
    await running(log, store).runner.close()
    assert.deepEqual(await store.load('done'), { version: 1, checkpoint: 1, rows: [['seqs', '[9]']] })
    await store.clear('done')
    const { runner, time } = running(log, store)
    await runner.open()
    await say(log, 'completed')
    await runner[Symbol.asyncDispose]()
    assert.deepEqual((await store.load('done'))?.rows, [['seqs', '[1]']])
    await say(log, 'completed')
    await time.advance(5_000)
    assert.deepEqual([runner.state('done').seqs, (await store.load('done'))?.rows], [[1], [['seqs', '[1]']]])
  })
})
