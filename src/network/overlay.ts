import type { InfoHash, MemberAddress, NodeId, NodeRole } from '../events/index.ts'
import type { Link } from './transport.ts'

// What the roles see of the network, as one port; runtime.ts builds it from a transport and the protocols.

export type RequestOptions = { timeoutMs?: number; signal?: AbortSignal }

export type RequestFailure = 'unreachable' | 'timeout' | 'refused' | 'unknown-method' | 'aborted' | 'overloaded'

export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: RequestFailure
  constructor(code: RequestFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Answers a request; what it throws reaches the asker as `refused` with the message. */
export type RequestHandler = (from: NodeId, body: Uint8Array) => Promise<Uint8Array>

export type KnownMember = MemberAddress & { id: NodeId; role: NodeRole }

export type OverlayStatus = {
  links: readonly (Link & {
    role: NodeRole | undefined
    roundTripMs: number | undefined
    messagesIn: number
    messagesOut: number
    /** Names of events that wait for it. */
    backlog: number
    /** `eager`: events are pushed over it; `lazy`: only their names; `none`: not used for gossip. */
    view: 'eager' | 'lazy' | 'none'
  })[]
  eventsIn: number
  eventsOut: number
  /** Over the last ten seconds or so. */
  eventsInPerSecond: number
  eventsOutPerSecond: number
  duplicates: number
  rejected: number
  heldBack: number
  /** Offences of peers, each counted. */
  quarantined: number
}

/**
 * The overlay: links, gossip, membership and the messenger of one node.
 * Gossip reads and writes the log by itself: every own event in the gossip stream goes out, every foreign one comes in.
 */
export interface Overlay extends AsyncDisposable {
  readonly self: NodeId
  start(signal: AbortSignal): Promise<void>
  /** Says goodbye (`member.left`) and closes the links. */
  stop(): Promise<void>
  status(): OverlayStatus
  /** True if others call this member suspect or dead and this node does not believe it: it has heard from the member itself. */
  isSeenAlive(peer: NodeId): boolean
  /** What the last ping of this peer took; undefined if it was never pinged, or did not answer. */
  roundTripMs(peer: NodeId): number | undefined
  /** One request and its answer. The overlay links to the peer if it has to. @throws RequestError */
  request(to: NodeId, method: string, body: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  serve(method: string, handler: RequestHandler): void
  ban(peer: NodeId): void
  unban(peer: NodeId): void
  onLinks(listener: (change: { up: boolean; peer: NodeId; why?: string }) => void): () => void
}

/** A Mainline DHT of our own network (BEP 5), for finding the peers of a torrent. */
export interface PeerDirectory extends AsyncDisposable {
  readonly port: number
  readonly nodeCount: number
  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]>
}
