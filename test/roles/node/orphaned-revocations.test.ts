import assert from 'node:assert/strict'
import { type AccessRevoked, type Millis, signRevocation } from '../../../src/events/index.ts'
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
})
