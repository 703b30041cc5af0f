import type { NetworkId, NodeId } from '../model/ids.ts'

/** The network that a node belongs to, and what lets it in. */
export type JoinedNetwork = {
  readonly network: NetworkId
  /** Exact bytes of the genesis record (keys/genesis.ts): `network` is their SHA-256. */
  readonly genesis: Uint8Array
  /** What the node shows to its peers (keys/credential.ts); empty for a client of an open network. */
  readonly credential: Uint8Array
  /** Where the join string said that bootstraps are, HOST:PORT. */
  readonly bootstraps: readonly string[]
}

/** What joining takes: the credential is made for the node's key, which a new node does not have yet. */
export type Joining = {
  readonly genesis: Uint8Array
  readonly bootstraps: readonly string[]
  credentialOf(node: NodeId): Uint8Array
}
