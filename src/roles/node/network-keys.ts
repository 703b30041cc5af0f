import { decodeGenesis, type JoinedNetwork } from '../../events/index.ts'
import { verifierOf } from '../../events/keys/signer.sodium.ts'
import type { NetworkKeys } from '../../projections/all.ts'
import { sha256Of } from '../../projections/sha256.system.ts'

/** What events of this network are held against. */
export function networkKeys({ network, genesis }: JoinedNetwork): NetworkKeys {
  const { owner, open } = decodeGenesis(genesis)
  return { owner, verify: verifierOf(network), isOpen: open, sha256: sha256Of }
}
