import { decodeGenesis, type JoinedNetwork } from '../../events/index.ts'
import { verifierOf } from '../../events/keys/signer.sodium.ts'
import type { NetworkKeys } from '../../projections/all.ts'

/** What events of this network are held against. */
export const networkKeys = ({ network, genesis }: JoinedNetwork): NetworkKeys => ({
  owner: decodeGenesis(genesis).owner,
  verify: verifierOf(network),
})
