import type {
  Appender,
  Clock,
  ContentRules,
  EventLog,
  MemberAddress,
  NodeId,
  NodeRole,
  Timers,
  VerifySignature,
} from '../events/index.ts'
import type { Member } from './membership/member-table.ts'
import type { KnownMember, Overlay } from './overlay.ts'
import type { Transport, TransportEvents } from './transport.ts'

/** What the network holds its nodes and their events against. */
export type NetworkRules = ContentRules & {
  /** True if this node is admitted as one of this role. */
  mayBe(node: NodeId, role: NodeRole): boolean
}

/** Nodes keep what they may prune for a week, unless they are told otherwise, ms. */
export const RETENTION_MS = 7 * 86_400_000

export type RememberedMember = KnownMember & { incarnation?: number; state?: Member['state'] }

/** What an overlay asks of the log: what it holds, its signed bytes, and to take the events of others. */
export type OverlayLog = Pick<
  EventLog,
  'lamport' | 'has' | 'versionVector' | 'readSigned' | 'readSignedAt' | 'pruned' | 'ingest' | 'onAppended'
>

export type OverlayOptions = {
  role: NodeRole
  /** Name and version, told to peers. */
  software: string
  /** Higher than at every earlier start of this node. */
  incarnation: number
  transport: Transport
  log: OverlayLog
  /** For what this node says itself. */
  appender: Appender
  verify: VerifySignature
  /** Of the network. */
  rules: NetworkRules
  clock: Clock
  timers: Timers
  /** 0 <= random() < 1 */
  random: () => number
  /** What others are to dial, where it is not the transport's endpoint; and the Mainline DHT's port, where one runs. */
  advertise?: Partial<MemberAddress> | (() => Partial<MemberAddress>)
  /** The members the liveness projection knew before this start. */
  members?: readonly RememberedMember[]
  /** Members that this node was linked with before, by its own choice: dialled before others. */
  anchors?: readonly NodeId[]
  /** How long this node keeps events that it may prune, ms; what others say they have pruned counts only if it is older. */
  retentionMs?: number
  /** True while this node takes back what it said itself, after a backup was restored. */
  isRecovering?: () => boolean
  /** A peer was not let in, or did not let us in. */
  onRefused?: TransportEvents['refused']
  /** A sentence for the operator's log: a fault of this node, never of a peer. */
  onNotice?: (text: string) => void
}

export interface OverlayRuntime extends Overlay {
  /** The member table, as gossip and probes have it. */
  members(): readonly Member[]
  member(id: NodeId): Member | undefined
  readonly incarnation: number
}
