import type { MemberAddress, NodeId } from '../../../src/events/index.ts'
import { Answers } from '../../../src/network/membership/answers.ts'
import { Beats } from '../../../src/network/membership/beats.ts'
import { MemberTable } from '../../../src/network/membership/member-table.ts'
import type { MembershipEffect, MembershipTimer } from '../../../src/network/membership/membership-protocol.ts'
import { ProbeList } from '../../../src/network/membership/probe-list.ts'
import { PING_TIMEOUT_MS, PROBE_EVERY_MS, Prober } from '../../../src/network/membership/prober.ts'
import { Suspicions } from '../../../src/network/membership/suspicions.ts'
import type { MembershipMessage } from '../../../src/network/wire.ts'
import { ADDRESS, SELF } from './driven-membership.ts'

export const peerOf = (number: number): NodeId => (number + 1).toString(16).padStart(64, '0') as NodeId
export const PING_AGAIN_MS = 200
export const RELAY_TIMEOUT_MS = 350
/** When a probe of a healthy node is missed. */
export const MISSED_MS = 980

type Effects = readonly MembershipEffect[]
type Options = { members?: number; isMember?: boolean; address?: MemberAddress }

export const sent = <T extends MembershipMessage['type']>(effects: Effects, type: T) =>
  effects.flatMap((effect) =>
    effect.do === 'send' && effect.message.type === type
      ? [{ ...effect, message: effect.message as Extract<MembershipMessage, { type: T }> }]
      : [],
  )
/** Timers that are set, and in how many ms they are due. */
export const wakes = (effects: Effects) =>
  effects.flatMap((effect) => (effect.do === 'wake' ? [[effect.timer.name, effect.afterMs] as const] : []))
/** The number of the ping. */
export const seqOf = (effects: Effects): number => sent(effects, 'ping')[0]?.message.seq ?? -1

/** A prober with all that it needs, of a node that knows members 1 to `members`, and takes the last of them first. */
export class ProberAtWork {
  readonly table = new MemberTable(10_000, SELF)
  readonly answers = new Answers()
  readonly beats = new Beats()
  /** Whom our own eyes were told to have missed. */
  readonly missed: NodeId[] = []
  readonly prober: Prober
  readonly suspicions: Suspicions
  isLinked: (peer: NodeId) => boolean = () => true

  constructor({ members = 1, isMember = true, address = ADDRESS }: Options = {}) {
    const { table, beats, answers } = this
    const random = () => 0.999
    const list = new ProbeList(random)
    const suspicions = new Suspicions({ self: SELF, isMember, table, list, probeEveryMs: PROBE_EVERY_MS, random })
    this.suspicions = suspicions
    this.prober = new Prober({
      ...{ isMember, table, list, beats, suspicions, answers, isLinked: (peer) => this.isLinked(peer) },
      eyes: { missed: (id) => this.missed.push(id) },
      heardAt: () => undefined,
    })
    for (let number = 1; number <= members; number++) {
      const subject = peerOf(number)
      table.fold(subject, { kind: 'member.alive', subject, incarnation: 1, role: 'index', ...address }, 1)
    }
  }

  wake(name: Extract<MembershipTimer, { of: number }>['name'], of: number, now: number): Effects {
    return this.prober.wake({ name, of }, now)
  }

  /** A probe by our turn to which nobody answers; so many helpers say no. @returns what is done at its end */
  missedAt(now: number, nacks = 0): Effects {
    const seq = seqOf(this.prober.tick(now))
    this.wake('unanswered', seq, now + PING_AGAIN_MS)
    for (const { to } of sent(this.wake('late', seq, now + PING_TIMEOUT_MS), 'ping-request').slice(0, nacks))
      this.prober.nack(to, seq)
    return this.wake('missed', seq, now + MISSED_MS)
  }

  /** The beats of a member since they were asked for the last time. */
  countsOf(id: NodeId) {
    return this.beats.rollUp().find(({ subject }) => subject === id)
  }
}
