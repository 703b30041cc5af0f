import assert from 'node:assert/strict'
import {
  CredentialError,
  type CredentialFault,
  type Invitation,
  type Millis,
  type NetworkId,
} from '../../../src/events/index.ts'
import { sha256, signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { TEST_NETWORK } from '../test-network.ts'

/** A key in a network, always the same for the same number. */
export const keyOf = (number: number, network: NetworkId = TEST_NETWORK) =>
  signerFromSeed(new Uint8Array(32).fill(number), network)

/** Of another network: the same keys, other signatures. */
export const OTHER_NETWORK = Buffer.from(sha256(new Uint8Array([1]))).toString('hex') as NetworkId

export const invitationOf = (key: number, more: Partial<Invitation> = {}): Invitation => ({
  key: keyOf(key).id,
  role: 'client',
  name: 'guest',
  issuedAt: 1_700_000_000_000 as Millis,
  expiresAt: 0 as Millis,
  ...more,
})

export const isFault =
  (code: CredentialFault) =>
  (error: unknown): true => {
    assert.ok(error instanceof CredentialError, `not a fault of a credential: ${error}`)
    assert.equal(error.code, code, error.message)
    return true
  }
