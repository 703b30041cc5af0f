import type { Rate } from './token-bucket.hyperswarm.ts'

/** Bounds of a transport. Every one keeps a peer, or many, from costing more than their share. */
export type TransportLimits = {
  /** Links we look for by ourselves. 8 to 12 keep graphs of 200 nodes connected, with a diameter of 2 to 3. */
  readonly linksSought: number
  /** Links others may open to us; early nodes become hubs without it. */
  readonly linksInboundMax: number
  /** All links together, those asked for with `dial` included. */
  readonly linksMax: number
  readonly dialsMax: number
  readonly dialTimeoutMs: number
  /** A peer that opens no channel within this has the wrong protocol, or no intentions. */
  readonly openTimeoutMs: number
  readonly keepAliveMs: number
  /** Silence after which a link is lost; a peer killed with -9 is noticed within this. */
  readonly silenceMsMax: number
  /**
   * What a peer may send us; over it, its link is dropped as 'flood'. The burst is what an honest sender at its full
   * rate piles up while we stand still for as long as a link survives: a busy machine must not cost it its peers.
   */
  readonly messagesIn: Rate
  readonly bytesIn: Rate
  /** What we send to a peer, held below the above so that an honest burst waits here and costs no link. */
  readonly messagesOut: Rate
  readonly bytesOut: Rate
  /** Waiting for one peer; over it, the link is dropped as 'backlog'. Less for clients: 24 that read slowly must not cost 200 MB. */
  readonly queueBytesMax: number
  readonly queueBytesMaxOfClient: number
  readonly queueMessagesMax: number
  /** A peer that reads nothing for so long, with messages on their way to it, loses its link. */
  readonly stallMsMax: number
  /** How long a peer that flooded or sent garbage is refused. */
  readonly penaltyMs: number
  /** What taking leave of the DHT may cost at the end; the links are closed before. */
  readonly leaveMsMax: number
}

export const DEFAULT_LIMITS: TransportLimits = {
  linksSought: 12,
  linksInboundMax: 36,
  linksMax: 96,
  dialsMax: 16,
  dialTimeoutMs: 5_000,
  openTimeoutMs: 5_000,
  keepAliveMs: 2_000,
  silenceMsMax: 8_000,
  messagesIn: { perSecond: 4_000, burst: 28_000 },
  bytesIn: { perSecond: 4 << 20, burst: 28 << 20 },
  messagesOut: { perSecond: 3_000, burst: 4_000 },
  bytesOut: { perSecond: 3 << 20, burst: 4 << 20 },
  queueBytesMax: 8 << 20,
  queueBytesMaxOfClient: 2 << 20,
  queueMessagesMax: 16_384,
  stallMsMax: 4_500,
  penaltyMs: 30_000,
  leaveMsMax: 600,
}
