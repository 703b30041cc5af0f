import {
  encodeGenesis,
  type Joining,
  type Millis,
  type NodeRole,
  networkIdOf,
  signInvitation,
  standingOf,
} from '../../src/events/index.ts'
import { keyOfSeed, sha256, signerFromSeed, verifierOf } from '../../src/events/keys/signer.sodium.ts'
import { sha256Of } from '../../src/projections/sha256.system.ts'
import { joiningBy } from '../../src/roles/owner/joining.ts'

// One network for all tests, with an owner whose key is known: real invitations, real signatures.

const OWNER_SEED = new Uint8Array(32).fill(201)

export const TEST_GENESIS = encodeGenesis({
  name: 'test',
  owner: keyOfSeed(OWNER_SEED),
  createdAt: 1_600_000_000_000 as Millis,
  open: false,
  nonce: new Uint8Array(16).fill(7),
})
export const TEST_NETWORK = networkIdOf(TEST_GENESIS, sha256)
export const TEST_OWNER = signerFromSeed(OWNER_SEED, TEST_NETWORK)
export const verifySignature = verifierOf(TEST_NETWORK)
export const TEST_KEYS = { owner: TEST_OWNER.id, verify: verifySignature, isOpen: false, sha256: sha256Of }
export const TEST_JOINED = { network: TEST_NETWORK, genesis: TEST_GENESIS, credential: new Uint8Array(), bootstraps: [] }

let members = 0
const nameFor = (role: NodeRole): string => (standingOf(role) === 'client' ? 'clients' : `member ${++members}`)

/**
 * What lets a node of this role into the test network: the same invitation for all clients and another one for each member,
 * unless named otherwise.
 */
export function joiningAs(role: NodeRole, { name = nameFor(role), expiresAt = 0 } = {}): Joining {
  const seed = sha256(new TextEncoder().encode(`${role} ${name} ${expiresAt}`))
  const key = keyOfSeed(seed)
  const issuedAt = 1_600_000_000_001 as Millis
  const invitation = { key, role: standingOf(role), name, issuedAt, expiresAt: expiresAt as Millis }
  const signed = signInvitation(invitation, TEST_OWNER)
  return joiningBy({ genesis: TEST_GENESIS, bootstraps: [], invitation: { ...signed, seed } })
}
