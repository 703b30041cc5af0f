import type { MemberAddress, NodeId, NodeRole } from '../../events/index.ts'
import type { Effect, Protocol } from '../protocol.ts'
import type { MembershipMessage } from '../wire.ts'
import { Beats } from './beats.ts'
import { type Member, type MemberEvent, type MemberEventKind, MemberTable } from './member-table.ts'
import { ProbeList } from './probe-list.ts'
import { CONFIRMATIONS_EXPECTED, LocalHealth, suspicionMs } from './suspicion.ts'

// SWIM (Das, Gupta, Motivala 2002) with Lifeguard's local health (Dadgar, Phillips, Currey 2018). Each period one member
// is pinged, then through others, then suspected; a suspect that does not refute is declared dead. The words travel as
// signed events over gossip, and come back in through `observe`, our own as well: the table is what the events say.

export const PROBE_EVERY_MS = 1_000
/** An answer may take this long before others are asked to try: a round trip, and the making of a link. */
export const PING_TIMEOUT_MS = 500
/** A ping without an answer is said again so often, and so many times in all: 5 % of lost messages then cost nobody a probe. */
const PING_AGAIN_MS = 200
const PINGS_MAX = 4
const INDIRECT_PROBES = 3
/** The helper gives up, and says so, early enough for its word to come in time. */
const RELAY_TIMEOUT_MS = 350
/** How often a client pings its links. */
const LOOK_AT_LINKS_MS = 10_000
const ROLL_UP_EVERY_MS = 5 * 60 * 1_000
const MEMBERS_MAX = 8_192
const PROBES_MAX = 256
/** Members that check a new suspicion at once, on average: enough for the confirmations, no herd at a thousand. */
const CHECKERS_WANTED = 8
/** A suspect whose time is over, but who was not tried by us, is tried again so often. */
const SUSPECT_AGAIN_MS = 2_000
/** Each accuser leaves this much time to those before it, so that one of them declares the death and not all. */
const DECLARE_STEP_MS = 700
/** Whoever answered us so recently is told of an accusation at once. */
const ANSWERED_LATELY_MS = 10_000

type Effects = Effect<MembershipMessage>[]
type Probe = {
  target: NodeId
  sentAt: number
  pings: number
  helpers: NodeId[]
  /** Helpers that said they had no answer; each counts once, however often it says so. */
  nacks: NodeId[]
  relayFor: { from: NodeId; seq: number } | undefined
}
type Suspicion = {
  incarnation: number
  startedAt: number
  accusers: NodeId[]
  accused: boolean
  declared: boolean
  failedAt: number | undefined
}

export type MembershipOptions = {
  self: NodeId
  role: NodeRole
  /** Higher than at every earlier start of this node. */
  incarnation: number
  address: () => MemberAddress
  isLinked: (peer: NodeId) => boolean
  /** 0 <= random() < 1 */
  random: () => number
}

export class Membership implements Protocol<MembershipMessage> {
  readonly #options: MembershipOptions
  readonly #table: MemberTable
  readonly #list: ProbeList
  readonly #beats = new Beats()
  readonly #health = new LocalHealth()
  readonly #probes = new Map<number, Probe>()
  readonly #suspicions = new Map<NodeId, Suspicion>()
  /** When each member last answered us, and its last round trip. */
  readonly #answers = new Map<NodeId, { at: number; roundTripMs: number | undefined }>()
  /** Members whose last probe went unanswered, for the first time. */
  readonly #missedOnce = new Set<NodeId>()
  #incarnation: number
  #seq = 0
  #ticks = 0
  #left = false

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#incarnation = options.incarnation
    this.#table = new MemberTable(MEMBERS_MAX, options.role === 'client' ? undefined : options.self)
    this.#list = new ProbeList(options.random)
  }

  get incarnation(): number {
    return this.#incarnation
  }

  /** Clients are no members: they learn the table, and answer, but accuse nobody and are not probed. */
  get #isMember(): boolean {
    return this.#options.role !== 'client'
  }

  members(): IterableIterator<Member> {
    return this.#table.all()
  }

  member(id: NodeId): Member | undefined {
    return this.#table.get(id)
  }

  roundTripMs(peer: NodeId): number | undefined {
    return this.#answers.get(peer)?.roundTripMs
  }

  get healthMultiplier(): number {
    return this.#health.multiplier
  }

  start(): Effects {
    // Clients look only at those they are linked with, to know how far away they are.
    if (!this.#isMember) return [{ do: 'wake', afterMs: LOOK_AT_LINKS_MS * this.#options.random(), timer: 'links-probe' }]
    return [
      this.#say('member.alive'),
      { do: 'wake', afterMs: PROBE_EVERY_MS * this.#options.random(), timer: 'probe' },
      { do: 'wake', afterMs: ROLL_UP_EVERY_MS, timer: 'roll-up' },
    ]
  }

  /** Says that we go, so that nobody has to find out; and stores the beats so far. */
  leave(): Effects {
    if (!this.#isMember || this.#left) return []
    this.#left = true
    return [...this.#rollUp(), this.#say('member.left')]
  }

  /** A member event that is in the log: ours, or somebody's. */
  observe(author: NodeId, event: MemberEvent, now: number): Effects {
    if (event.subject === this.#options.self) return this.#aboutUs(author, event)
    for (const { id, state } of this.#table.fold(author, event)) if (state !== 'suspect') this.#suspicions.delete(id)
    if (event.kind !== 'member.suspect' && event.kind !== 'member.dead') return []
    const effects = this.#suspected(author, event, now)
    const subject = this.#table.get(event.subject)
    // It is called dead, and it answered us a moment ago: it should know.
    const isAccused = subject?.incarnation === event.incarnation && subject.state !== 'alive'
    if (event.kind === 'member.dead' && isAccused && this.#answeredSince(subject.id, now - ANSWERED_LATELY_MS))
      effects.push(...this.#ping(subject, now))
    return effects
  }

  /** What the liveness projection knew before this start. */
  remember(member: Omit<Member, 'addressIsOwnWord'>, now: number): Effects {
    const { id: subject, address, state, incarnation, role } = member
    if (subject === this.#options.self) return []
    const event: MemberEvent = { kind: `member.${state}`, subject, incarnation, role, ...address }
    this.#table.fold(subject, event)
    return state === 'suspect' ? this.#suspected(subject, { ...event, kind: 'member.suspect' }, now) : []
  }

  /** Somebody who is believed gone is here: tell it what is said of it. */
  linkUp(peer: NodeId, now: number): Effects {
    const member = this.#table.get(peer)
    return member === undefined || member.state === 'alive' ? [] : this.#ping(member, now)
  }

  /** A link that broke is a hint, not a proof: look at that member next. */
  linkLost(peer: NodeId): void {
    if (this.#table.get(peer)?.state === 'alive') this.#list.next(peer)
  }

  receive(from: NodeId, message: MembershipMessage, now: number): Effects {
    switch (message.type) {
      case 'ping': {
        const refuted = this.#refuteIfAccused(message.belief, message.incarnation)
        return [
          { do: 'send', to: from, message: { type: 'pong', seq: message.seq, incarnation: this.#incarnation } },
          ...refuted,
        ]
      }
      case 'pong':
        return this.#pong(from, message.seq, now)
      case 'nack': {
        const probe = this.#probes.get(message.seq)
        if (probe?.helpers.includes(from) && !probe.nacks.includes(from)) probe.nacks.push(from)
        return []
      }
      case 'ping-request': {
        const target = this.#table.get(message.target)
        if (target === undefined || this.#probes.size >= PROBES_MAX) {
          return [{ do: 'send', to: from, message: { type: 'nack', seq: message.seq } }]
        }
        const relayFor = { from, seq: message.seq }
        const effects = this.#ping(target, now, relayFor, { belief: message.belief, incarnation: message.incarnation })
        return [
          ...effects,
          { do: 'wake', afterMs: PING_AGAIN_MS, timer: `again ${this.#seq}` },
          { do: 'wake', afterMs: RELAY_TIMEOUT_MS, timer: `relay ${this.#seq}` },
        ]
      }
    }
  }

  wake(timer: string, now: number): Effects {
    if (this.#left) return []
    const [what, argument = ''] = timer.split(' ')
    switch (what) {
      case 'probe':
        return this.#tick(now)
      case 'links-probe':
        return this.#lookAtLinks(now)
      case 'roll-up':
        return [...this.#rollUp(), { do: 'wake', afterMs: ROLL_UP_EVERY_MS, timer }]
      case 'unanswered':
        return this.#unanswered(Number(argument), now)
      case 'again':
        return this.#again(Number(argument))
      case 'late':
        return this.#askOthers(Number(argument))
      case 'missed':
        return this.#missed(Number(argument), now)
      case 'forget':
        this.#probes.delete(Number(argument))
        return []
      case 'relay':
        return this.#relayFailed(Number(argument))
      case 'suspect':
        return this.#timeIsOver(argument as NodeId)
      default:
        return []
    }
  }

  #rollUp(): Effects {
    return this.#beats.rollUp().map((event) => ({ do: 'append', event }))
  }

  #say(kind: MemberEventKind): Effect<MembershipMessage> {
    const { self, role, address } = this.#options
    return { do: 'append', event: { kind, subject: self, incarnation: this.#incarnation, role, ...address() } }
  }

  #accuse(kind: 'member.suspect' | 'member.dead', { id, incarnation, role, address }: Member): Effect<MembershipMessage> {
    return { do: 'append', event: { kind, subject: id, incarnation, role, ...address } }
  }

  #aboutUs(author: NodeId, event: MemberEvent): Effects {
    if (author === this.#options.self) {
      // Said by an earlier run that our log does not have: go above it. At our own incarnation only its goodbye matters: it
      // holds against all that we say, and we did not say it.
      const isOver = event.incarnation === this.#incarnation && event.kind === 'member.left' && !this.#left
      if ((event.incarnation <= this.#incarnation && !isOver) || !this.#isMember) return []
      this.#incarnation = event.incarnation + 1
      return [this.#say('member.alive')]
    }
    if (event.kind === 'member.suspect') return this.#refuteIfAccused('suspect', event.incarnation)
    return event.kind === 'member.dead' ? this.#refuteIfAccused('dead', event.incarnation) : []
  }

  #refuteIfAccused(belief: string, incarnation: number): Effects {
    const accused = belief === 'suspect' || belief === 'dead' || belief === 'left'
    // Nobody believes a word about an incarnation that we did not announce (see member-table.ts): it needs no answer. If
    // we did, in a run whose log we lost, our own word of it comes back to us (see #aboutUs).
    if (!accused || incarnation !== this.#incarnation || !this.#isMember || this.#left) return []
    this.#incarnation = incarnation + 1
    this.#health.worse(1)
    return [this.#say('member.refuted')]
  }

  #tick(now: number): Effects {
    const afterMs = PROBE_EVERY_MS * this.#health.multiplier
    const effects: Effects = [{ do: 'wake', afterMs, timer: 'probe' }]
    this.#ticks++
    const target = this.#list.take(this.#table)
    if (target !== undefined && this.#probes.size < PROBES_MAX) {
      effects.push(...this.#ping(target, now), { do: 'wake', afterMs: PING_AGAIN_MS, timer: `unanswered ${this.#seq}` })
    }
    // Half of a network that was cut in two believes the other half dead: somebody must try.
    const dead = this.#ticks % 2 === 0 ? this.#list.oneDead(this.#table) : undefined
    if (dead !== undefined && this.#probes.size < PROBES_MAX) {
      // If it is there after all, so may be a whole part of the network, and events have to cross: the link is to stay.
      effects.push(...this.#ping(dead, now).map((effect) => ({ ...effect, lasting: true })), {
        do: 'wake',
        afterMs: 5_000,
        timer: `forget ${this.#seq}`,
      })
    }
    return effects
  }

  #lookAtLinks(now: number): Effects {
    const effects: Effects = [{ do: 'wake', afterMs: LOOK_AT_LINKS_MS, timer: 'links-probe' }]
    for (const member of this.#table.all()) {
      if (!this.#options.isLinked(member.id) || this.#probes.size >= PROBES_MAX) continue
      effects.push(...this.#ping(member, now), { do: 'wake', afterMs: LOOK_AT_LINKS_MS, timer: `forget ${this.#seq}` })
    }
    return effects
  }

  #ping(
    target: Member,
    now: number,
    relayFor?: Probe['relayFor'],
    claim: { belief: Member['state'] | 'unknown'; incarnation: number } = {
      belief: target.state,
      incarnation: target.incarnation,
    },
  ): Effects {
    this.#seq = (this.#seq + 1) % 0x1_0000_0000
    if (this.#probes.size < PROBES_MAX) {
      this.#probes.set(this.#seq, { target: target.id, sentAt: now, pings: 1, helpers: [], nacks: [], relayFor })
    }
    const message: MembershipMessage = { type: 'ping', seq: this.#seq, ...claim }
    const { host, port } = target.address
    return [{ do: 'send', to: target.id, message, dial: port > 0 ? { host, port } : 'by-key' }]
  }

  /** Of our own turn, and not answered at once, as nearly all are: from here on it is watched. */
  #unanswered(seq: number, now: number): Effects {
    const probe = this.#probes.get(seq)
    if (probe === undefined) return []
    const after = (ms: number): number => Math.max(0, probe.sentAt + ms * this.#health.multiplier - now)
    return [
      ...this.#again(seq),
      { do: 'wake', afterMs: after(PING_TIMEOUT_MS), timer: `late ${seq}` },
      { do: 'wake', afterMs: after(PROBE_EVERY_MS * 0.98), timer: `missed ${seq}` },
    ]
  }

  #again(seq: number): Effects {
    const probe = this.#probes.get(seq)
    const target = probe && this.#table.get(probe.target)
    if (probe === undefined || target === undefined || probe.pings >= PINGS_MAX) return []
    const wake: Effect<MembershipMessage> = { do: 'wake', afterMs: PING_AGAIN_MS, timer: `again ${seq}` }
    // Without a link the first one still waits for it.
    if (!this.#options.isLinked(target.id)) return [wake]
    probe.pings++
    const message: MembershipMessage = { type: 'ping', seq, belief: target.state, incarnation: target.incarnation }
    return [{ do: 'send', to: target.id, message }, wake]
  }

  #pong(from: NodeId, seq: number, now: number): Effects {
    const probe = this.#probes.get(seq)
    const direct = probe?.target === from
    if (probe === undefined || !(direct || probe.helpers.includes(from))) {
      // Too late for its probe, but the link proves who said it.
      if (this.#table.get(from) !== undefined) this.#answered(from, now, undefined)
      return []
    }
    this.#probes.delete(seq)
    if (probe.relayFor !== undefined) {
      this.#answered(from, now, now - probe.sentAt)
      const message: MembershipMessage = { type: 'pong', seq: probe.relayFor.seq, incarnation: 0 }
      return [{ do: 'send', to: probe.relayFor.from, message }]
    }
    this.#health.better()
    this.#answered(probe.target, now, direct ? now - probe.sentAt : undefined)
    if (direct && this.#isMember) this.#beats.seen(probe.target, now - probe.sentAt, now)
    return []
  }

  #answered(peer: NodeId, now: number, roundTripMs: number | undefined): void {
    this.#answers.delete(peer)
    this.#answers.set(peer, { at: now, roundTripMs })
    if (this.#answers.size > MEMBERS_MAX) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest)
        break
      }
    }
    this.#missedOnce.delete(peer)
    const suspicion = this.#suspicions.get(peer)
    if (suspicion !== undefined) suspicion.failedAt = undefined
  }

  #answeredSince(peer: NodeId, since: number): boolean {
    return (this.#answers.get(peer)?.at ?? Number.NEGATIVE_INFINITY) >= since
  }

  #askOthers(seq: number): Effects {
    const probe = this.#probes.get(seq)
    const target = probe && this.#table.get(probe.target)
    if (probe === undefined || target === undefined) return []
    const helpers = this.#list.helpers(this.#table, target.id, INDIRECT_PROBES, this.#options.isLinked)
    probe.helpers = helpers.map(({ id }) => id)
    const claim = { belief: target.state, incarnation: target.incarnation }
    return helpers.map(({ id, address: { host, port } }) => ({
      do: 'send',
      to: id,
      message: { type: 'ping-request', seq, target: target.id, ...claim },
      dial: port > 0 ? { host, port } : 'by-key',
    }))
  }

  #relayFailed(seq: number): Effects {
    const probe = this.#probes.get(seq)
    if (probe?.relayFor === undefined) return []
    this.#probes.delete(seq)
    return [{ do: 'send', to: probe.relayFor.from, message: { type: 'nack', seq: probe.relayFor.seq } }]
  }

  #missed(seq: number, now: number): Effects {
    const probe = this.#probes.get(seq)
    if (probe === undefined) return []
    this.#probes.delete(seq)
    // A helper's no in time proves that words still pass between us and the others, as an answer would. Others that say
    // nothing may be gone as well, with half of the network: only when nobody says anything the fault may be ours.
    if (probe.nacks.length > 0) this.#health.better()
    else this.#health.worse(Math.max(1, probe.helpers.length))
    this.#beats.missed(probe.target, now)
    const member = this.#table.get(probe.target)
    if (member === undefined || (member.state !== 'alive' && member.state !== 'suspect')) return []
    if (member.state === 'alive' && !this.#missedOnce.has(member.id)) {
      // One miss may be a lost message or a busy moment, and a suspicion is an event in every log: look once more.
      if (this.#missedOnce.size < MEMBERS_MAX) this.#missedOnce.add(member.id)
      this.#list.again(member.id)
      return []
    }
    this.#missedOnce.delete(member.id)
    const suspicion = this.#suspicions.get(member.id) ?? this.#begin(member.id, member.incarnation, now)
    suspicion.failedAt = now
    if (suspicion.accused || suspicion.accusers.length > CONFIRMATIONS_EXPECTED) return []
    suspicion.accused = true
    return [this.#accuse('member.suspect', member)]
  }

  #begin(id: NodeId, incarnation: number, now: number): Suspicion {
    const suspicion: Suspicion = {
      incarnation,
      startedAt: now,
      accusers: [],
      accused: false,
      declared: false,
      failedAt: undefined,
    }
    this.#suspicions.set(id, suspicion)
    return suspicion
  }

  #suspected(author: NodeId, event: MemberEvent, now: number): Effects {
    const member = this.#table.get(event.subject)
    if (member?.state !== 'suspect' || member.incarnation !== event.incarnation || !this.#isMember) return []
    let suspicion = this.#suspicions.get(member.id)
    const isNew = suspicion === undefined || suspicion.incarnation !== event.incarnation
    if (suspicion === undefined || suspicion.incarnation !== event.incarnation) {
      suspicion = this.#begin(member.id, event.incarnation, now)
    }
    if (!suspicion.accusers.includes(author) && suspicion.accusers.length <= CONFIRMATIONS_EXPECTED)
      suspicion.accusers.push(author)
    const size = this.#list.size(this.#table) + 1
    if (isNew && this.#options.random() < CHECKERS_WANTED / size) this.#list.next(member.id)
    return [{ do: 'wake', afterMs: Math.max(0, this.#deadline(suspicion, size) - now), timer: `suspect ${member.id}` }]
  }

  #deadline(suspicion: Suspicion, size: number): number {
    const turn = suspicion.accusers.indexOf(this.#options.self)
    const waitMs = (turn < 0 ? suspicion.accusers.length : turn) * DECLARE_STEP_MS
    return suspicion.startedAt + suspicionMs(size, suspicion.accusers.length - 1, PROBE_EVERY_MS) + waitMs
  }

  #timeIsOver(id: NodeId): Effects {
    const member = this.#table.get(id)
    const suspicion = this.#suspicions.get(id)
    if (member?.state !== 'suspect' || suspicion === undefined) return []
    // Only who tried in vain itself may declare a death; the others try, in case all who did are gone.
    if (suspicion.failedAt !== undefined) {
      // Once: whether our word alone counts is for the others to find out.
      if (suspicion.declared) return []
      suspicion.declared = true
      return [this.#accuse('member.dead', member)]
    }
    this.#list.next(id)
    return [{ do: 'wake', afterMs: SUSPECT_AGAIN_MS, timer: `suspect ${id}` }]
  }
}
