import assert from 'node:assert/strict'
import fc from 'fast-check'
import { upcastSteps } from '../../migrations/index.ts'
import { type EventLog, upcaster } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import {
  allProjections,
  createProjectionRunner,
  keptSnapshots,
  type Projection,
  type ProjectionStates,
  type ProjectionStore,
  Snapshots,
  snapshotInterval,
} from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { digestRows } from '../../src/projections/sha256.ts'
import { EVERY_KIND, signerOf, tickingClock } from '../events/samples.ts'
import { TEST_KEYS } from '../events/test-network.ts'

const signer = signerOf(1)
const openLog = (): EventLog => openMemoryLog({ signer, clock: tickingClock(), upcast: upcaster(upcastSteps) })

/** A log whose reads are counted by events, so that a test can tell how far a replay went back. */
function counted(log: EventLog) {
  const reads = { events: 0 }
  return {
    reads,
    log: {
      get head() {
        return log.head
      },
      onAppended: log.onAppended.bind(log),
      snapshot: log.snapshot.bind(log),
      async *readBatches(range: Parameters<EventLog['readBatches']>[0]) {
        for await (const batch of log.readBatches(range)) {
          reads.events += (batch.at(-1)?.seq ?? 0) - (batch[0]?.seq ?? 0) + 1
          yield batch
        }
      },
    },
  }
}

function runnerOf(
  log: Pick<EventLog, 'head' | 'readBatches' | 'onAppended' | 'snapshot'>,
  store = openMemoryProjectionStore(),
) {
  return createProjectionRunner<ProjectionStates>({
    log,
    store,
    projections: allProjections(signer.id, TEST_KEYS),
    timers: { after: () => () => {} },
    newSha256,
    checkpointEvents: 20,
    snapshotEvents: 100,
    snapshotsMax: 8,
  })
}

const REPUTATION = allProjections(signer.id, TEST_KEYS).reputation.version
const NAMES = ['liveness', 'reputation', 'downloads'] as const

describe('snapshots of projections', () => {
  it('stand evenly over the log, a bounded number of them, whatever its length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 1, max: 300 }),
        (step, countMax, times) => {
          const options = { everyEvents: 100, countMax }
          let seqs: number[] = []
          let head = 0
          for (let time = 0; time < times; time++) {
            head += step
            seqs = keptSnapshots([...seqs, head], head, options)
          }
          const interval = snapshotInterval(head, options)
          assert.ok(seqs.length <= countMax + 1, `${seqs.length} snapshots`)
          const gaps = [...seqs, head].map((seq, index) => seq - (seqs[index - 1] ?? 0))
          assert.ok(Math.max(...gaps) <= 2 * interval + step, `a gap of ${Math.max(...gaps)} at an interval of ${interval}`)
        },
      ),
    )
  })

  it('give the state at any event as a full replay gives it, of a running node and after a restart', async () => {
    const inner = openLog()
    const { log, reads } = counted(inner)
    const store = openMemoryProjectionStore()
    const runner = runnerOf(log, store)
    await runner.open()
    for (let round = 0; round < 60; round++) await inner.append(EVERY_KIND)
    await runner.checkpoint()
    assert.ok((await store.snapshots('reputation')).length >= 4, 'snapshots were kept while it ran')
    const again = runnerOf(log, store)
    await again.open()
    for (const looking of [runner, again]) {
      for (const name of NAMES) {
        const projection = allProjections(signer.id, TEST_KEYS)[name]
        for (const seq of [1, 99, 100, 101, 737, 1_000, inner.head - 1, inner.head]) {
          reads.events = 0
          const rows = projection.rows((await looking.stateAt(name, seq)) as never)
          assert.ok(reads.events <= 400, `${reads.events} events were read to go back to ${seq}`)
          assert.equal(digestRows(rows, newSha256), await looking.digestAt(name, seq), `${name} at ${seq}`)
        }
      }
    }
    await again.close()
    await runner.close()
  })

  it('are made on the way by a start that has to fold the whole log, and by the first look back', async () => {
    const log = openLog()
    for (let round = 0; round < 40; round++) await log.append(EVERY_KIND)
    for (let round = 0; round < 40; round++) await log.append(EVERY_KIND)
    const store = openMemoryProjectionStore()
    const runner = runnerOf(log, store)
    await runner.open()
    const marks = await store.snapshots('liveness')
    assert.ok(marks.length > 0 && marks.every(({ seq }) => seq <= log.head))
    for (const { seq } of marks) {
      const rows = allProjections(signer.id, TEST_KEYS).liveness.rows(await runner.stateAt('liveness', seq))
      assert.equal(digestRows(rows, newSha256), await runner.digestAt('liveness', seq))
    }
    await runner.close()
  })

  it('of another version, of events that the log lost, or of a projection that is made again are not used', async () => {
    const log = openLog()
    for (let round = 0; round < 20; round++) await log.append(EVERY_KIND)
    const store = openMemoryProjectionStore()
    const wrong = [['policy', '"nonsense"']] as const
    await store.saveSnapshot('reputation', { version: 99, seq: 200 }, wrong)
    await store.saveSnapshot('reputation', { version: REPUTATION, seq: 10_000 }, wrong)
    const runner = runnerOf(log, store)
    await runner.open()
    assert.ok((await store.snapshots('reputation')).every(({ version, seq }) => version === REPUTATION && seq <= log.head))
    const projection = allProjections(signer.id, TEST_KEYS).reputation
    const digest = async () => digestRows(projection.rows(await runner.stateAt('reputation', 300)), newSha256)
    assert.equal(await digest(), await runner.digestAt('reputation', 300))
    await store.saveSnapshot(
      'reputation',
      { version: REPUTATION, seq: (await store.snapshots('reputation')).at(-1)?.seq ?? 0 },
      wrong,
    )
    await runner.rebuild('reputation')
    assert.equal(await digest(), await runner.digestAt('reputation', 300))
    await runner.close()
  })

  const projection = { name: 'p', version: 1, rows: () => [] } as unknown as Projection<unknown>

  it('are found from the very event that they stand at', async () => {
    const snapshots = new Snapshots(openMemoryProjectionStore(), { everyEvents: 10, countMax: 8 })
    await snapshots.passing(projection, undefined, 10)
    assert.equal(await snapshots.before(projection, 9), undefined)
    assert.equal((await snapshots.before(projection, 10))?.checkpoint, 10)
  })

  it('that were taken while another one was being written are not forgotten', async () => {
    const inner = openMemoryProjectionStore()
    const { promise, resolve } = Promise.withResolvers<void>()
    const store: ProjectionStore = {
      ...inner,
      async saveSnapshot(name, mark, rows) {
        if (mark.seq === 10) await promise
        await inner.saveSnapshot(name, mark, rows)
      },
    }
    const snapshots = new Snapshots(store, { everyEvents: 10, countMax: 8 })
    const first = snapshots.passing(projection, undefined, 10)
    await snapshots.passing(projection, undefined, 20)
    resolve()
    await first
    assert.equal((await snapshots.before(projection, 25))?.checkpoint, 20)
    assert.equal((await snapshots.before(projection, 15))?.checkpoint, 10)
  })
})
