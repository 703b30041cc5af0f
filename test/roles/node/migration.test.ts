import assert from 'node:assert/strict'
import { KINDS, upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { ProjectionStore } from '../../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { planMigration } from '../../../src/roles/node/migration.ts'
import { EVERY_KIND, foreign, signerOf, tickingClock } from '../../events/samples.ts'

describe('the plan of a migration', () => {
  it('names the events of older versions, which are brought up to date on read', async () => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: upcaster([]) })
    await log.append([...EVERY_KIND, ...EVERY_KIND])
    const later = { ...KINDS, 'download.added': { number: 24, version: 3 }, 'member.alive': { number: 8, version: 2 } }
    const { upcasts, versions } = await planMigration(log, undefined, [], later)
    assert.deepEqual(upcasts, [
      { kind: 'member.alive', from: 1, to: 2, events: 2 },
      { kind: 'download.added', from: 1, to: 3, events: 2 },
    ])
    assert.deepEqual(
      versions.find(({ kind }) => kind === 'download.added'),
      { kind: 'download.added', version: 1, present: 3, events: 2 },
    )
  })

  it('passes over what others wrote in a newer version', async () => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: upcaster([]) })
    const alive = EVERY_KIND.find(({ event }) => event.kind === 'member.alive')
    const other = foreign(signerOf(2), 1, 1, alive)
    // The second byte is the version.
    const body = other.body.map((byte, index) => (index === 1 ? 9 : byte))
    await log.ingest([{ body, signature: signerOf(2).sign('event', body) }])
    const { upcasts, versions } = await planMigration(log, undefined, [])
    assert.deepEqual(upcasts, [])
    assert.deepEqual(versions, [{ kind: 'member.alive', version: 9, present: 1, events: 1 }])
  })

  it('rebuilds rows that are missing, of another version, beyond the log or damaged, and no others', async () => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: upcaster([]) })
    const store = openMemoryProjectionStore()
    const projection = { name: 'downloads', version: 3, handles: ['download.added', 'download.removed'] as const }
    const planned = async (of: Pick<ProjectionStore, 'load'> | undefined = store) =>
      (await planMigration(log, of as ProjectionStore, [projection])).projections[0]
    const shown = { name: 'downloads', version: 3 }
    const nothing = { ...shown, stored: null, checkpoint: 0, rebuild: null, events: 0 }
    assert.deepEqual(await planned(), nothing, 'of an empty log nothing is missing')
    assert.deepEqual((await planMigration(log, undefined, [projection])).projections[0], nothing)
    await log.append(EVERY_KIND)
    const count = EVERY_KIND.filter(({ event }) => /^download.(added|removed)$/.test(event.kind)).length
    const missing = { ...shown, stored: null, checkpoint: 0, rebuild: 'missing', events: count }
    assert.deepEqual(await planned(), missing)
    assert.deepEqual((await planMigration(log, undefined, [projection])).projections[0], missing)
    await store.commit('downloads', 2, log.head, [])
    assert.deepEqual(await planned(), { ...shown, stored: 2, checkpoint: log.head, rebuild: 'version', events: count })
    await store.commit('downloads', 3, log.head, [])
    assert.deepEqual(await planned(), { ...shown, stored: 3, checkpoint: log.head, rebuild: null, events: 0 })
    await store.commit('downloads', 3, log.head + 1, [])
    assert.deepEqual((await planned())?.rebuild, 'beyond-log')
    const damaged = {
      async load(): Promise<never> {
        throw new Error('not what was committed')
      },
    }
    assert.deepEqual(await planned(damaged), { ...missing, rebuild: 'damaged' })
  })

  it('refuses a log in which this node itself wrote in a newer version', async () => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: upcaster([]) })
    const alive = EVERY_KIND.find(({ event }) => event.kind === 'member.alive')
    const body = foreign(signerOf(1), 1, 1, alive).body.map((byte, index) => (index === 1 ? 9 : byte))
    await log.ingest([{ body, signature: signerOf(1).sign('event', body) }], { origin: 'stored' })
    await assert.rejects(planMigration(log, undefined, []), {
      code: 'damaged',
      message:
        'this node wrote 1 events of member.alive in version 9, this p2pt knows up to 1: use the newer p2pt that wrote them',
    })
  })
})
