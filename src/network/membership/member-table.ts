import type { EventOf, MemberAddress, NodeId, NodeRole } from '../../events/index.ts'

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'
export type MemberEventKind = 'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'
export type MemberEvent = EventOf<MemberEventKind>

export type Member = {
  readonly id: NodeId
  role: NodeRole
  address: MemberAddress
  state: MemberState
  incarnation: number
  /** True once the member itself said where it is; then nobody else's word counts. */
  addressIsOwnWord: boolean
}

type Word = { readonly incarnation: number; readonly state: MemberState }
/** A member, and what was said of it: by itself, and by others, of whom nearly all members have none. */
type Known = Member & { own: Word | undefined; others: Map<number, MemberState> | undefined }

/** Incarnations above a member's own word of which others' words are kept, until the member's word has come. */
const AHEAD_MAX = 8

const STATES: { readonly [K in MemberEventKind]: MemberState } = {
  'member.alive': 'alive',
  'member.refuted': 'alive',
  'member.suspect': 'suspect',
  'member.dead': 'dead',
  'member.left': 'left',
}
const PRECEDENCE: { readonly [S in MemberState]: number } = { alive: 0, suspect: 1, dead: 2, left: 3 }

export const isMemberEvent = (event: { kind: string }): event is MemberEvent => event.kind in STATES

/**
 * The members this node knows, as SWIM folds them: the higher incarnation wins, then left over dead over suspect over
 * alive (Das, Gupta, Motivala 2002, section 4.2). Others' words count only up to the incarnation that the member itself
 * announced: else a liar could name one that it cannot go above. The same order as the liveness projection has, so they
 * agree.
 */
export class MemberTable {
  readonly #members = new Map<NodeId, Known>()
  readonly #counts: { [S in MemberState]: number } = { alive: 0, suspect: 0, dead: 0, left: 0 }
  readonly #membersMax: number

  constructor(membersMax: number) {
    this.#membersMax = membersMax
  }

  /** How many there are in one of these states. */
  count(...states: readonly MemberState[]): number {
    return states.reduce((sum, state) => sum + this.#counts[state], 0)
  }

  get(id: NodeId): Member | undefined {
    return this.#members.get(id)
  }

  all(): IterableIterator<Member> {
    return this.#members.values()
  }

  /** @returns the member if the event changed its state or incarnation */
  fold(author: NodeId, event: MemberEvent): Member | undefined {
    const own = author === event.subject
    if (!own && (event.kind === 'member.left' || event.kind === 'member.refuted')) return undefined
    // Clients come and go freely; nobody probes them.
    if (event.role === 'client') return undefined
    const state = STATES[event.kind]
    const { host, port, dhtPort, role, incarnation } = event
    let member = this.#members.get(event.subject)
    const isNew = member === undefined
    if (member === undefined) {
      if (!this.#hasRoom()) return undefined
      const address = { host, port, dhtPort }
      const said = { own: undefined, others: undefined }
      member = { id: event.subject, role, address, state, incarnation, addressIsOwnWord: own, ...said }
      this.#members.set(event.subject, member)
      this.#counts[state]++
    }
    if (incarnation < (member.own?.incarnation ?? 0)) return undefined
    if (own || !member.addressIsOwnWord) {
      const { address } = member
      if (address.host !== host || address.port !== port || address.dhtPort !== dhtPort)
        member.address = { host, port, dhtPort }
      member.role = role
      member.addressIsOwnWord ||= own
    }
    if (own) {
      if (member.own?.incarnation === incarnation && PRECEDENCE[state] <= PRECEDENCE[member.own.state]) return undefined
      member.own = { incarnation, state }
      for (const known of member.others?.keys() ?? []) if (known < incarnation) member.others?.delete(known)
    } else {
      member.others ??= new Map()
      keep(member.others, incarnation, state)
    }
    const { incarnation: was, state: wasState } = member
    const now = effective(member)
    if (now === undefined) return undefined
    member.incarnation = now.incarnation
    member.state = now.state
    this.#counts[wasState]--
    this.#counts[now.state]++
    return isNew || was !== now.incarnation || wasState !== now.state ? member : undefined
  }

  /** A full table forgets somebody who is gone; a stranger does not push out one who is there. */
  #hasRoom(): boolean {
    if (this.#members.size < this.#membersMax) return true
    for (const { id, state } of this.#members.values()) {
      if (state !== 'dead' && state !== 'left') continue
      this.#members.delete(id)
      this.#counts[state]--
      return true
    }
    return false
  }
}

function keep(others: Map<number, MemberState>, incarnation: number, state: MemberState): void {
  const before = others.get(incarnation)
  if (before !== undefined && PRECEDENCE[state] <= PRECEDENCE[before]) return
  others.set(incarnation, state)
  if (others.size > AHEAD_MAX) others.delete(Math.max(...others.keys()))
}

function effective({ own, others }: Known): Word | undefined {
  const incarnation = own?.incarnation ?? (others !== undefined && others.size > 0 ? Math.max(...others.keys()) : undefined)
  if (incarnation === undefined) return undefined
  const said = others?.get(incarnation)
  if (own === undefined || (said !== undefined && PRECEDENCE[said] > PRECEDENCE[own.state])) {
    return said === undefined ? undefined : { incarnation, state: said }
  }
  return own
}
