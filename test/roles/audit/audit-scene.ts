import { createHash } from 'node:crypto'
import { admit, type NodeId, signInvitation } from '../../../src/events/index.ts'
import { signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { type AuditBundle, type AuditHead, signedHead } from '../../../src/roles/audit/audit-bundle.ts'
import { createLogQueries } from '../../../src/roles/node/log-queries.ts'
import { invitationOf } from '../../events/keys/keys-fixture.ts'
import { tickingClock } from '../../events/samples.ts'
import { TEST_JOINED, TEST_NETWORK, TEST_OWNER } from '../../events/test-network.ts'
import { countedTurns } from '../../projections/counted-turns.ts'
import { resultOf } from '../result-of.ts'
import { hears, type SmallLog } from '../small-log.ts'

export const signerOf = (name: number) => signerFromSeed(new Uint8Array(32).fill(name), TEST_NETWORK)

/** A node shows its credential, in its own log and in another's. */
export async function shows(at: SmallLog, name: number, ...to: SmallLog[]): Promise<void> {
  const key = 100 + name
  const credential = admit(at.id, signInvitation(invitationOf(key), TEST_OWNER), signerOf(key))
  const event = { kind: 'node.admitted', credential } as const
  if (to.length === 0) await at.log.append([{ event }])
  for (const other of to) await hears(other, at, event)
}

export async function exported(at: SmallLog, name: number, about: string): Promise<AuditBundle> {
  const { log, states } = at
  const { newTurns } = countedTurns()
  const queries = createLogQueries({
    ...{ log, states, newSha256, newTurns, joined: TEST_JOINED, clock: tickingClock() },
    sign: (bytes) => signerOf(name).sign('audit', bytes),
    verifyLog: () => {
      throw new Error('not asked for')
    },
  })
  return (await resultOf(queries.audit(about))) as AuditBundle
}

/** The bundle with another head, signed by its node, or by whom is named. */
export function resigned(bundle: AuditBundle, change: Partial<AuditHead>, by = signerOf(1)): AuditBundle {
  const head = { ...bundle.head, ...change }
  return { ...bundle, head, signature: Buffer.from(by.sign('audit', signedHead(head))).toString('base64') }
}

export const bodyHash = (body: string): string => createHash('sha256').update(Buffer.from(body, 'base64')).digest('hex')
export type { NodeId }
