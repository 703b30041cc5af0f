import type { Event, MemberAddress, NodeId, NodeRole } from '../../events/index.ts'
import type { AppendFailure, Protocol } from '../protocol.ts'
import type { MembershipMessage } from '../wire.ts'
import { Answers } from './answers.ts'
import { Beats } from './beats.ts'
import { isMemberEvent, type Member, type MemberEvent, MemberTable } from './member-table.ts'
import type { MembershipEffect, MembershipInput, MembershipTimer } from './membership-protocol.ts'
import { OwnEyes } from './own-eyes.ts'
import { OwnWord } from './own-word.ts'
import { ProbeList } from './probe-list.ts'
import { LOOK_AT_LINKS_MS, PROBE_EVERY_MS, Prober } from './prober.ts'
import { Suspicions } from './suspicions.ts'
import { UnstoredWords } from './unstored-words.ts'

// SWIM (Das, Gupta, Motivala 2002) with Lifeguard's local health (Dadgar, Phillips, Currey 2018). Each period one member
// is pinged, then through others, then suspected; a suspect that does not refute is declared dead. The words travel as
// signed events over gossip, and come back in when they are stored, our own as well: the table is what the events say.

const ROLL_UP_EVERY_MS = 5 * 60 * 1_000
const MEMBERS_MAX = 8_192
/** Whoever answered us so recently is told of an accusation at once. */
const ANSWERED_LATELY_MS = 10_000

/** How often an unsigned word about us is answered with an event, ms. */
export const UNSIGNED_REFUTED_EVERY_MS = 5_000

export type MembershipOptions = {
  self: NodeId
  role: NodeRole
  /** Higher than at every earlier start of this node. */
  incarnation: number
  address: () => MemberAddress
  isLinked: (peer: NodeId) => boolean
  /** When the peer last said something on its link, ms; undefined without a link. */
  heardAt: (peer: NodeId) => number | undefined
  /** True if the network admits this node as a member of this role. */
  isAdmitted: (node: NodeId, role: NodeRole) => boolean
  /** 0 <= random() < 1 */
  random: () => number
}

/** Who is there: members that are probed, and clients, which learn the table, and answer, but accuse nobody. */
export class Membership implements Protocol<MembershipInput, MembershipMessage, MembershipTimer> {
  readonly #options: MembershipOptions
  readonly #isMember: boolean
  readonly #table: MemberTable
  readonly #list: ProbeList
  readonly #beats = new Beats()
  readonly #answers: Answers
  readonly #eyes: OwnEyes
  readonly #suspicions: Suspicions
  readonly #prober: Prober
  readonly #own: OwnWord
  readonly #unstored = new UnstoredWords()
  #answerUnsignedAt = 0

  constructor(options: MembershipOptions) {
    const { self, role, random, isLinked, heardAt } = options
    const isMember = role !== 'client'
    this.#options = options
    this.#isMember = isMember
    const table = new MemberTable(MEMBERS_MAX, isMember ? self : undefined)
    const list = new ProbeList(random)
    const suspicions = new Suspicions({ self, isMember, table, list, probeEveryMs: PROBE_EVERY_MS, random })
    this.#table = table
    this.#suspicions = suspicions
    this.#answers = new Answers()
    const answers = this.#answers
    this.#eyes = new OwnEyes({ table, answers, heardAt })
    const eyes = this.#eyes
    this.#prober = new Prober({
      ...{ isMember, table, list, beats: this.#beats, suspicions, answers, eyes },
      isLinked,
      heardAt,
    })
    this.#own = new OwnWord(options)
    this.#list = list
  }

  /** That of the last stored word about ourselves. */
  get incarnation(): number {
    return this.#own.incarnation
  }

  /** All members, as they are believed to be here. */
  *members(now: number): Generator<Member> {
    for (const member of this.#table.all()) yield this.#eyes.view(member, now)
  }

  member(id: NodeId, now: number): Member | undefined {
    const member = this.#table.get(id)
    return member === undefined ? undefined : this.#eyes.view(member, now)
  }

  /** True if this node does not believe, now, what others say against the member. */
  isSeenAlive(id: NodeId, now: number): boolean {
    const member = this.#table.get(id)
    if (member === undefined || this.#eyes.view(member, now).state !== 'alive') return false
    return member.state !== 'alive' || this.#eyes.sees(id, now)
  }

  roundTripMs(peer: NodeId): number | undefined {
    return this.#answers.roundTripMs(peer)
  }

  get healthMultiplier(): number {
    return this.#prober.healthMultiplier
  }

  handle(input: MembershipInput, now: number): MembershipEffect[] {
    switch (input.type) {
      case 'message':
        return this.#receive(input.from, input.message, now)
      case 'timer':
        return this.#own.hasLeft ? [] : this.#wake(input.timer, now)
      case 'stored':
        return this.#stored(input.author, input.event, input.lamport, now)
      case 'link-up': {
        // Somebody who is believed gone is here: tell it what is said of it.
        const member = this.#table.get(input.peer)
        return member === undefined || member.state === 'alive' ? [] : this.#prober.ping(member, now)
      }
      case 'link-down':
        // A hint, not a proof: look at that member next.
        if (input.isHint && this.#table.get(input.peer)?.state === 'alive') this.#list.next(input.peer)
        return []
      case 'send-failed':
        this.#prober.notSent(input.to, input.message, input.why)
        return []
      case 'append-failed':
        return this.#own.hasLeft ? [] : this.#notStored(input.event, input.why)
      case 'remember':
        return this.#remember(input.member, now)
      case 'start':
        return this.#start()
      case 'leave':
        return this.#isMember && !this.#own.hasLeft ? [...this.#rollUp(), this.#own.leave()] : []
    }
  }

  #start(): MembershipEffect[] {
    const { random } = this.#options
    if (!this.#isMember) return [{ do: 'wake', afterMs: LOOK_AT_LINKS_MS * random(), timer: { name: 'links-probe' } }]
    return [
      this.#own.announce(),
      { do: 'wake', afterMs: PROBE_EVERY_MS * random(), timer: { name: 'probe' } },
      { do: 'wake', afterMs: ROLL_UP_EVERY_MS, timer: { name: 'roll-up' } },
    ]
  }

  #remember({ id: subject, address, state, incarnation, role }: Member, now: number): MembershipEffect[] {
    const { self, isAdmitted } = this.#options
    if (subject === self || !isAdmitted(subject, role)) return []
    const event: MemberEvent = { kind: `member.${state}`, subject, incarnation, role, ...address }
    // Before all stamps: whatever comes was said later.
    this.#table.fold(subject, event, 0)
    return state === 'suspect' ? this.#suspicions.heard(subject, { ...event, kind: 'member.suspect' }, now) : []
  }

  #receive(from: NodeId, message: MembershipMessage, now: number): MembershipEffect[] {
    switch (message.type) {
      case 'ping': {
        const { seq, belief, incarnation } = message
        const refuted = this.#refuteUnsigned(from, belief, incarnation, now)
        return [{ do: 'send', to: from, message: { type: 'pong', seq } }, ...refuted]
      }
      case 'pong':
        return this.#prober.pong(from, message.seq, now)
      case 'nack':
        this.#prober.nack(from, message.seq)
        return []
      case 'ping-request':
        return this.#prober.relay(from, message, now)
    }
  }

  #wake(timer: MembershipTimer, now: number): MembershipEffect[] {
    switch (timer.name) {
      case 'probe':
        return [...this.#gone(now), ...this.#prober.tick(now)]
      case 'links-probe':
        return [...this.#gone(now), ...this.#prober.lookAtLinks(now)]
      case 'roll-up':
        this.#eyes.forgetUnknown()
        return [...this.#rollUp(), { do: 'wake', afterMs: ROLL_UP_EVERY_MS, timer }]
      case 'suspect':
        return this.#suspicions.timeIsOver(timer.of)
      case 'say-again':
        return this.#sayAgain()
      default:
        return this.#prober.wake(timer, now)
    }
  }

  #rollUp(): MembershipEffect[] {
    return this.#beats.rollUp().map((event) => ({ do: 'append', event }))
  }

  #stored(author: NodeId, event: MemberEvent, lamport: number, now: number): MembershipEffect[] {
    // The log can be written: what it did not take is not to wait longer.
    const effects = this.#unstored.worked() && !this.#own.hasLeft ? this.#sayAgain() : []
    effects.push(
      ...(event.subject === this.#options.self ? this.#aboutUs(author, event) : this.#aboutOther(author, event, lamport, now)),
    )
    return effects
  }

  #aboutUs(author: NodeId, event: MemberEvent): MembershipEffect[] {
    if (author === this.#options.self) {
      const answer = this.#isMember ? this.#own.stored(event) : undefined
      return answer === undefined ? [] : [answer]
    }
    if (event.kind === 'member.suspect') return this.#refute('suspect', event.incarnation)
    return event.kind === 'member.dead' ? this.#refute('dead', event.incarnation) : []
  }

  #aboutOther(author: NodeId, event: MemberEvent, lamport: number, now: number): MembershipEffect[] {
    const { self, isAdmitted, isLinked } = this.#options
    // Of somebody who is no member here nobody can say that it is one: nobody is to ping it.
    if (!isAdmitted(event.subject, event.role)) return []
    const changed = this.#table.fold(author, event, lamport)
    for (const member of changed) {
      this.#eyes.changed(member, author === self, now)
      if (member.state !== 'suspect') this.#suspicions.end(member.id)
    }
    const subject = this.#table.get(event.subject)
    const effects: MembershipEffect[] = []
    if (event.kind === 'member.suspect' || event.kind === 'member.dead') {
      effects.push(...this.#suspicions.heard(author, event, now))
      // It is accused, and is here, or answered us a moment ago: it should know, and we see for ourselves.
      const isNews = subject !== undefined && subject.state !== 'alive' && changed.includes(subject)
      if (isNews && (isLinked(subject.id) || this.#answers.hasAnsweredSince(subject.id, now - ANSWERED_LATELY_MS)))
        effects.push(...this.#prober.ping(subject, now))
    }
    const isGone = subject?.state === 'left' || (subject?.state === 'dead' && this.#eyes.isGone(subject, now))
    if (isGone) effects.push({ do: 'member-gone', member: event.subject })
    return effects
  }

  #gone(now: number): MembershipEffect[] {
    return this.#eyes.believed(now).map(({ id }) => ({ do: 'member-gone', member: id }))
  }

  /**
   * What a ping says of us nobody signed, and an answer costs all logs an event, and us our budget: only members are answered,
   * who have pings to say, and only now and then.
   */
  #refuteUnsigned(from: NodeId, belief: string, incarnation: number, now: number): MembershipEffect[] {
    if (now < this.#answerUnsignedAt || !this.#options.isAdmitted(from, 'index')) return []
    const refuted = this.#refute(belief, incarnation)
    if (refuted.length > 0) this.#answerUnsignedAt = now + UNSIGNED_REFUTED_EVERY_MS
    return refuted
  }

  #refute(belief: string, incarnation: number): MembershipEffect[] {
    const refutation = this.#isMember ? this.#own.refute(belief, incarnation) : undefined
    if (refutation === undefined) return []
    this.#prober.doubt()
    return [refutation]
  }

  /** What an event of ours said is not in the log: it is said again, as long as it is still to be said. */
  #notStored(event: Event, why: AppendFailure): MembershipEffect[] {
    if (event.kind === 'heartbeat.rolled-up') this.#beats.giveBack(event.subject)
    if (why === 'refused' || !isMemberEvent(event)) return []
    if (event.subject === this.#options.self && !this.#own.isWanted(event)) return []
    const afterMs = this.#unstored.failed(event.subject)
    return afterMs === undefined ? [] : [{ do: 'wake', afterMs, timer: { name: 'say-again' } }]
  }

  #sayAgain(): MembershipEffect[] {
    return this.#unstored
      .take()
      .flatMap((id) => (id === this.#options.self ? this.#own.sayAgain() : this.#suspicions.sayAgain(id)))
  }
}
