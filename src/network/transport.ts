import type { CredentialFault, NodeId } from '../events/index.ts'

/** An encrypted, authenticated connection to another node. At most one per peer is reported. */
export type Link = {
  readonly peer: NodeId
  readonly host: string
  readonly port: number
  readonly initiator: boolean
  /** ms since 1970 */
  readonly since: number
}

/** Where a node's HyperDHT socket can be reached (UDP); see events/ip-address.ts for what may stand here. */
export type Endpoint = { readonly host: string; readonly port: number }

export type LinkLoss =
  | 'remote'
  | 'timeout'
  | 'flood'
  | 'oversized'
  | 'malformed'
  | 'backlog'
  | 'full'
  | 'banned'
  /** It showed no credential that lets it in, or does not take ours. */
  | 'refused'
  | 'stopped'
  | 'error'

export interface TransportEvents {
  linked(link: Link): void
  unlinked(peer: NodeId, why: LinkLoss): void
  /** A link did not come about, or ended: `by` us as the peer's credential is no good, or by the peer as ours is not. */
  refused(peer: NodeId, why: CredentialFault, by: 'us' | 'peer'): void
  /** One message; the bytes are the receiver's to keep. Must return quickly and must not throw. */
  message(from: NodeId, bytes: Uint8Array): void
}

/** Longest message, either way, in bytes. A longer one costs the sender its link. */
export const MESSAGE_BYTES_MAX = 64 * 1024

/** Lets peers in, or not: asked when a link opens, before anything else of the peer is read. */
export interface Doorkeeper {
  /** What we show to each peer, at most CREDENTIAL_BYTES_MAX bytes. */
  readonly credential: Uint8Array
  /** @returns why this peer is refused, or undefined for one that is let in. Must not throw. */
  refusal(peer: NodeId, credential: Uint8Array): CredentialFault | undefined
  /** True if this peer is known to be admitted as a member: places are kept for those. Left out, everybody is. */
  isMember?(peer: NodeId): boolean
  /** Who answers for this peer: each party has its share of the places of those who are no members. Left out, the peer itself. */
  partyOf?(peer: NodeId): string
}

/** Lets in whoever proves its key: for networks that are not ours to guard, as in tests. */
export const OPEN_DOOR: Doorkeeper = { credential: new Uint8Array(), refusal: () => undefined }

/**
 * Links to other nodes. Implementations: transport.memory.ts (simulations), transport.hyperswarm.ts;
 * both run test/network/transport.contract.ts.
 */
export interface Transport extends AsyncDisposable {
  readonly self: NodeId
  /** Set once, before start. */
  listen(events: TransportEvents): void
  /** Opens the sockets and joins the network; resolves when others can reach us. Keeps retrying in the background. */
  start(signal: AbortSignal): Promise<void>
  /** Our own endpoint as others should dial it; undefined before start. */
  readonly endpoint: Endpoint | undefined
  links(): readonly Link[]
  /**
   * `urgent` messages overtake others that wait for the same peer.
   * @returns false, and nothing is sent, without a link or when the peer's send queue is full (the link is then dropped)
   */
  send(to: NodeId, message: Uint8Array, urgent?: boolean): boolean
  /** A link to this node, made if there is none: by key over the DHT, or straight to `endpoint`, where that is an address. @returns false if it cannot be reached */
  dial(peer: NodeId, endpoint?: Endpoint): Promise<boolean>
  drop(peer: NodeId, why: LinkLoss): void
  /** Refuses every later link with this key, and drops the present one. */
  ban(peer: NodeId): void
  unban(peer: NodeId): void
}
