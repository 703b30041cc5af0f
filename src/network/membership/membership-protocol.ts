import type { NodeId } from '../../events/index.ts'
import type { Effect, Heard } from '../protocol.ts'
import type { MembershipMessage } from '../wire.ts'
import type { Member, MemberEvent } from './member-table.ts'

/** Timers of one probe, by its number. */
type ProbeTimer = { readonly name: 'unanswered' | 'again' | 'late' | 'missed' | 'forget' | 'relay'; readonly of: number }

export type MembershipTimer =
  | { readonly name: 'probe' | 'links-probe' | 'roll-up' | 'say-again' }
  | ProbeTimer
  /** The time of a suspicion. */
  | { readonly name: 'suspect'; readonly of: NodeId }

export type MembershipEffect = Effect<MembershipMessage, MembershipTimer>

/** All that can happen to the membership of a node. */
export type MembershipInput =
  | Heard<MembershipMessage, MembershipTimer>
  | { type: 'start' }
  /** The node stops: it says so, that nobody has to find out, and stores the beats so far. */
  | { type: 'leave' }
  /** What the liveness projection knew before this start. */
  | { type: 'remember'; member: Member }
  | { type: 'link-up'; peer: NodeId }
  /** `isHint`: the link broke; it was not closed for a reason that says nothing about the peer. */
  | { type: 'link-down'; peer: NodeId; isHint: boolean }
  /** A member event stands in the log now: ours, or somebody's. */
  | { type: 'stored'; author: NodeId; event: MemberEvent; lamport: number }
