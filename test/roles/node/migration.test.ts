import assert from 'node:assert/strict'
import { KINDS, upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
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
})
