import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessRevoked, type Millis, signRevocation, upcaster } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { orphanedRevocations } from '../../../src/roles/node/orphaned-revocations.ts'
import { foreign, noUpcast, signerOf, tickingClock } from '../../events/samples.ts'
import { TEST_OWNER } from '../../events/test-network.ts'

const revoked = (number: number): AccessRevoked => ({
  kind: 'access.revoked',
  ...signRevocation({ key: signerOf(number).id, at: 1 as Millis, reason: '' }, TEST_OWNER),
})

describe('orphaned revocations', () => {
  it('are those that nobody passes on who is still admitted', async () => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: noUpcast })
    const say = (by: number, seq: number, number: number) =>
      foreign(signerOf(by), seq, seq, { stream: 'gossip', event: revoked(number) })
    await log.ingest([say(2, 1, 10), say(2, 2, 11), say(3, 1, 11), say(2, 3, 12)])
    await log.append([{ event: revoked(12) }])
    const found = await orphanedRevocations(log, (author) => author === signerOf(2).id)
    assert.deepEqual(
      found.map(({ revocation }) => Buffer.from(revocation)),
      [Buffer.from(revoked(10).revocation)],
    )
    assert.deepEqual(await orphanedRevocations(log, () => false), [])
  })

  it('are not looked for in what a newer p2pt has written, which nobody here can read', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'p2pt-orphaned-'))
    try {
      await using log = await openLevelLog({
        directory,
        signer: signerOf(1),
        clock: tickingClock(),
        upcast: upcaster([]),
        create: true,
      })
      const { body } = foreign(signerOf(2), 1, 1, { stream: 'gossip', event: revoked(10) })
      // The second byte is the version.
      const newer = body.map((byte, index) => (index === 1 ? 9 : byte))
      const [{ outcome } = { outcome: undefined }] = await log.ingest([
        { body: newer, signature: signerOf(2).sign('event', newer) },
        foreign(signerOf(2), 2, 2, { stream: 'gossip', event: revoked(11) }),
      ])
      assert.equal(outcome, 'appended')
      const found = await orphanedRevocations(log, () => true)
      assert.deepEqual(
        found.map(({ revocation }) => Buffer.from(revocation)),
        [Buffer.from(revoked(11).revocation)],
      )
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
