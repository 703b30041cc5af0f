import type { NodeId } from '../../events/index.ts'
import type { SendFailure } from '../protocol.ts'
import type { Belief, MembershipMessage } from '../wire.ts'
import type { Answers } from './answers.ts'
import type { Beats } from './beats.ts'
import type { Member, MemberTable } from './member-table.ts'
import type { MembershipEffect, MembershipTimer } from './membership-protocol.ts'
import type { OwnEyes } from './own-eyes.ts'
import type { ProbeList } from './probe-list.ts'
import { LocalHealth } from './suspicion.ts'
import type { Suspicions } from './suspicions.ts'

export const PROBE_EVERY_MS = 1_000
/** An answer may take this long before others are asked to try: a round trip, and the making of a link. */
export const PING_TIMEOUT_MS = 500
/** Interval of pings in a probe, ms, and how many there are: 5 % of lost messages then cost nobody a probe. */
const PING_AGAIN_MS = 200
const PINGS_MAX = 4
const INDIRECT_PROBES = 3
/** The helper gives up, and says so, early enough for its word to come in time. */
const RELAY_TIMEOUT_MS = 350
/** Interval at which a client pings its links. */
export const LOOK_AT_LINKS_MS = 10_000
const DEAD_PROBE_MS = 5_000
export const PROBES_MAX = 256
const MISSED_ONCE_MAX = 8_192

type Claim = { readonly belief: Belief; readonly incarnation: number }
type Probe = {
  readonly target: NodeId
  readonly sentAt: number
  pings: number
  /** False if this node did not send a single ping: then no answer says nothing. */
  tried: boolean
  helpers: NodeId[]
  /** Helpers that said they had no answer; each counts once, however often it says so. */
  readonly nacks: NodeId[]
  readonly relayFor: { readonly from: NodeId; readonly seq: number } | undefined
}

export type ProberOptions = {
  /** False for a client, whose beats are not recorded. */
  isMember: boolean
  table: MemberTable
  list: ProbeList
  beats: Beats
  suspicions: Suspicions
  answers: Answers
  eyes: Pick<OwnEyes, 'missed'>
  isLinked: (peer: NodeId) => boolean
  /** When the peer last said something on its link, ms; undefined without a link. */
  heardAt: (peer: NodeId) => number | undefined
}

/** Pings members, one each period, and through others where there is no answer (SWIM, section 4.1). */
export class Prober {
  readonly #options: ProberOptions
  readonly #health = new LocalHealth()
  readonly #probes = new Map<number, Probe>()
  /** Members whose last probe went unanswered, for the first time. */
  readonly #missedOnce = new Set<NodeId>()
  #seq = 0
  #ticks = 0

  constructor(options: ProberOptions) {
    this.#options = options
  }

  get healthMultiplier(): number {
    return this.#health.multiplier
  }

  /** Somebody had reason to accuse us. */
  doubt(): void {
    this.#health.worse(1)
  }

  /** The turn of a member, and now and then of one that is believed dead. */
  tick(now: number): MembershipEffect[] {
    const { list, table } = this.#options
    const afterMs = PROBE_EVERY_MS * this.#health.multiplier
    const effects: MembershipEffect[] = [{ do: 'wake', afterMs, timer: { name: 'probe' } }]
    this.#ticks++
    const target = list.take(table)
    if (target !== undefined && this.#probes.size < PROBES_MAX) {
      effects.push(...this.ping(target, now), this.#wake('unanswered', PING_AGAIN_MS))
    }
    // Half of a network that was cut in two believes the other half dead: somebody must try.
    const dead = this.#ticks % 2 === 0 ? list.oneDead(table) : undefined
    if (dead !== undefined && this.#probes.size < PROBES_MAX) {
      // If it is there after all, so may be a whole part of the network, and events have to cross: the link is to stay.
      for (const effect of this.ping(dead, now)) effects.push({ ...effect, lasting: true })
      effects.push(this.#wake('forget', DEAD_PROBE_MS))
    }
    return effects
  }

  /** A client looks only at those it is linked with, to know how far away they are. */
  lookAtLinks(now: number): MembershipEffect[] {
    const { table, isLinked } = this.#options
    const effects: MembershipEffect[] = [{ do: 'wake', afterMs: LOOK_AT_LINKS_MS, timer: { name: 'links-probe' } }]
    for (const member of table.all()) {
      if (!isLinked(member.id) || this.#probes.size >= PROBES_MAX) continue
      effects.push(...this.ping(member, now), this.#wake('forget', LOOK_AT_LINKS_MS))
    }
    return effects
  }

  /** A ping that also tells the member what is said of it. */
  ping(target: Member, now: number, relayFor?: Probe['relayFor'], claim: Claim = claimOf(target)) {
    this.#seq = (this.#seq + 1) % 0x1_0000_0000
    if (this.#probes.size < PROBES_MAX) {
      const probe = { target: target.id, sentAt: now, pings: 1, tried: true, helpers: [], nacks: [], relayFor }
      this.#probes.set(this.#seq, probe)
    }
    const message: MembershipMessage = { type: 'ping', seq: this.#seq, ...claim }
    return [{ do: 'send', to: target.id, message, dial: endpointOf(target) }] satisfies MembershipEffect[]
  }

  /** A member asks us to try another one for it. */
  relay(from: NodeId, request: { seq: number; target: NodeId } & Claim, now: number): MembershipEffect[] {
    const target = this.#options.table.get(request.target)
    if (target === undefined || this.#probes.size >= PROBES_MAX) {
      return [{ do: 'send', to: from, message: { type: 'nack', seq: request.seq } }]
    }
    const claim = { belief: request.belief, incarnation: request.incarnation }
    const ping = this.ping(target, now, { from, seq: request.seq }, claim)
    return [...ping, this.#wake('again', PING_AGAIN_MS), this.#wake('relay', RELAY_TIMEOUT_MS)]
  }

  pong(from: NodeId, seq: number, now: number): MembershipEffect[] {
    const { table, beats, isMember } = this.#options
    const probe = this.#probes.get(seq)
    const direct = probe?.target === from
    if (probe === undefined || !(direct || probe.helpers.includes(from))) {
      // Too late for its probe, but the link proves who said it.
      if (table.get(from) !== undefined) this.#answered(from, now, undefined)
      return []
    }
    this.#probes.delete(seq)
    if (probe.relayFor !== undefined) {
      this.#answered(from, now, now - probe.sentAt)
      return [{ do: 'send', to: probe.relayFor.from, message: { type: 'pong', seq: probe.relayFor.seq } }]
    }
    this.#health.better()
    this.#answered(probe.target, now, direct ? now - probe.sentAt : undefined)
    if (direct && isMember) beats.seen(probe.target, now - probe.sentAt, now)
    return []
  }

  nack(from: NodeId, seq: number): void {
    const probe = this.#probes.get(seq)
    if (probe?.helpers.includes(from) && !probe.nacks.includes(from)) probe.nacks.push(from)
  }

  /** A message of a probe did not leave, or its peer was dialled in vain. */
  notSent(to: NodeId, message: MembershipMessage, why: SendFailure): void {
    if (why !== 'not-dialled' || (message.type !== 'ping' && message.type !== 'ping-request')) return
    const probe = this.#probes.get(message.seq)
    if (probe === undefined) return
    // What we did not try is no evidence: neither against the member, nor, as a helper that says nothing, against ourselves.
    if (message.type === 'ping-request') probe.helpers = probe.helpers.filter((helper) => helper !== to)
    else if (probe.relayFor !== undefined) this.#probes.delete(message.seq)
    else if (probe.target === to) probe.tried = false
  }

  wake({ name, of: seq }: Extract<MembershipTimer, { of: number }>, now: number): MembershipEffect[] {
    const probe = this.#probes.get(seq)
    if (probe === undefined) return []
    switch (name) {
      case 'unanswered':
        return this.#unanswered(seq, probe, now)
      case 'again':
        return this.#again(seq, probe)
      case 'late':
        return this.#askOthers(seq, probe)
      case 'missed':
        this.#probes.delete(seq)
        return this.#missed(probe, now)
      case 'relay':
        if (probe.relayFor === undefined) return []
        this.#probes.delete(seq)
        return [{ do: 'send', to: probe.relayFor.from, message: { type: 'nack', seq: probe.relayFor.seq } }]
      case 'forget':
        this.#probes.delete(seq)
        return []
    }
  }

  /** A timer of the probe that was begun last. */
  #wake(name: Extract<MembershipTimer, { of: number }>['name'], afterMs: number): MembershipEffect {
    return { do: 'wake', afterMs, timer: { name, of: this.#seq } }
  }

  /** Of our own turn, and not answered at once, as nearly all are: from here on it is watched. */
  #unanswered(seq: number, probe: Probe, now: number): MembershipEffect[] {
    const after = (ms: number): number => Math.max(0, probe.sentAt + ms * this.#health.multiplier - now)
    return [
      ...this.#again(seq, probe),
      { do: 'wake', afterMs: after(PING_TIMEOUT_MS), timer: { name: 'late', of: seq } },
      { do: 'wake', afterMs: after(PROBE_EVERY_MS * 0.98), timer: { name: 'missed', of: seq } },
    ]
  }

  #again(seq: number, probe: Probe): MembershipEffect[] {
    const target = this.#options.table.get(probe.target)
    if (target === undefined || probe.pings >= PINGS_MAX) return []
    const wake: MembershipEffect = { do: 'wake', afterMs: PING_AGAIN_MS, timer: { name: 'again', of: seq } }
    // Without a link the first one still waits for it.
    if (!this.#options.isLinked(target.id)) return [wake]
    probe.pings++
    probe.tried = true
    return [{ do: 'send', to: target.id, message: { type: 'ping', seq, ...claimOf(target) } }, wake]
  }

  #askOthers(seq: number, probe: Probe): MembershipEffect[] {
    const { table, list, isLinked } = this.#options
    const target = table.get(probe.target)
    if (target === undefined) return []
    const helpers = list.helpers(table, target.id, INDIRECT_PROBES, isLinked)
    probe.helpers = helpers.map(({ id }) => id)
    return helpers.map((helper) => ({
      do: 'send',
      to: helper.id,
      message: { type: 'ping-request', seq, target: target.id, ...claimOf(target) },
      dial: endpointOf(helper),
    }))
  }

  #answered(peer: NodeId, now: number, roundTripMs: number | undefined): void {
    this.#options.answers.add(peer, now, roundTripMs)
    this.#missedOnce.delete(peer)
    this.#options.suspicions.answered(peer)
  }

  #missed(probe: Probe, now: number): MembershipEffect[] {
    const { table, list, beats, suspicions, eyes, heardAt } = this.#options
    // Neither we tried it, nor did anybody for us. Its turn comes in the next round.
    if (!probe.tried && probe.nacks.length === 0) return []
    // A helper's no in time proves that words still pass between us and the others, as an answer would. Others that say
    // nothing may be gone as well, with half of the network: only when nobody says anything the fault may be ours.
    if (probe.nacks.length > 0) this.#health.better()
    else this.#health.worse(Math.max(1, probe.helpers.length))
    // Under load a pong may stand behind much else. What came on its link meanwhile says as well that the member is there.
    const at = heardAt(probe.target) ?? Number.NEGATIVE_INFINITY
    if (at > probe.sentAt) {
      this.#answered(probe.target, at, undefined)
      return []
    }
    beats.missed(probe.target, now)
    const member = table.get(probe.target)
    if (member === undefined || (member.state !== 'alive' && member.state !== 'suspect')) return []
    if (member.state === 'alive' && !this.#missedOnce.has(member.id)) {
      // One miss may be a lost message or a busy moment, and a suspicion is an event in every log: look once more.
      if (this.#missedOnce.size < MISSED_ONCE_MAX) this.#missedOnce.add(member.id)
      list.again(member.id)
      return []
    }
    this.#missedOnce.delete(member.id)
    eyes.missed(member.id, now)
    return suspicions.probeFailed(member, now)
  }
}

const claimOf = ({ state, incarnation }: Member): Claim => ({ belief: state, incarnation })

const endpointOf = ({ address: { host, port } }: Member) => (port > 0 ? { host, port } : ('by-key' as const))
