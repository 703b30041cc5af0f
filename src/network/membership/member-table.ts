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
/** What others say of one incarnation: the strongest word, and two at most of those who say suspect or dead. */
type Claim = { state: MemberState; readonly accusers: NodeId[] }
/** A member, and what was said of it: by itself, and by others, of whom nearly all members have none. */
type Known = Member & { own: Word | undefined; others: Map<number, Claim> | undefined }

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
 * announced: else a liar could name one that it cannot go above. And the word of one alone makes nobody dead while
 * somebody besides it is there who could see for himself. The same as the liveness projection has it, so they agree.
 */
export class MemberTable {
  readonly #members = new Map<NodeId, Known>()
  readonly #counts: { [S in MemberState]: number } = { alive: 0, suspect: 0, dead: 0, left: 0 }
  readonly #membersMax: number
  /** Members that say they are alive, and of whom nobody says otherwise: witnesses of others' deaths. */
  readonly #unaccused = new Set<NodeId>()

  /** @param self ourselves, if we are a member: a witness, though not in the table */
  constructor(membersMax: number, self?: NodeId) {
    this.#membersMax = membersMax
    if (self !== undefined) this.#unaccused.add(self)
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

  /** @returns the members whose state or incarnation the event changed: nearly always its subject, or none */
  fold(author: NodeId, event: MemberEvent): Member[] {
    const own = author === event.subject
    if (!own && (event.kind === 'member.left' || event.kind === 'member.refuted')) return []
    // Clients come and go freely; nobody probes them.
    if (event.role === 'client') return []
    const state = STATES[event.kind]
    const { host, port, dhtPort, role, incarnation } = event
    let member = this.#members.get(event.subject)
    const isNew = member === undefined
    if (member === undefined) {
      if (!this.#hasRoom()) return []
      const address = { host, port, dhtPort }
      const said = { own: undefined, others: undefined }
      member = { id: event.subject, role, address, state, incarnation, addressIsOwnWord: own, ...said }
      this.#members.set(event.subject, member)
      this.#counts[state]++
    }
    if (incarnation < (member.own?.incarnation ?? 0)) return []
    if (own || !member.addressIsOwnWord) {
      const { address } = member
      if (address.host !== host || address.port !== port || address.dhtPort !== dhtPort)
        member.address = { host, port, dhtPort }
      member.role = role
      member.addressIsOwnWord ||= own
    }
    if (own) {
      if (member.own?.incarnation === incarnation && PRECEDENCE[state] <= PRECEDENCE[member.own.state]) return []
      member.own = { incarnation, state }
      for (const known of member.others?.keys() ?? []) if (known < incarnation) member.others?.delete(known)
    } else {
      member.others ??= new Map()
      keep(member.others, incarnation, state, author)
    }
    const witnesses = this.#unaccused.size
    if (isUnaccused(member)) this.#unaccused.add(member.id)
    else this.#unaccused.delete(member.id)
    const changed = this.#judge(member) || isNew ? [member] : []
    // With the last witnesses go doubts about what one alone says, and with the first they come back.
    const isTurn = witnesses !== this.#unaccused.size && Math.min(witnesses, this.#unaccused.size) <= 1
    if (isTurn) for (const other of this.#members.values()) if (other !== member && this.#judge(other)) changed.push(other)
    return changed
  }

  /** @returns true if it is believed to be something else than before */
  #judge(member: Known): boolean {
    const { incarnation, state } = member
    const now = this.#effective(member)
    if (now === undefined || (incarnation === now.incarnation && state === now.state)) return false
    member.incarnation = now.incarnation
    member.state = now.state
    this.#counts[state]--
    this.#counts[now.state]++
    return true
  }

  #effective({ own, others }: Known): Word | undefined {
    const incarnation = own?.incarnation ?? (others === undefined ? undefined : highestOf(others))
    if (incarnation === undefined) return undefined
    const claim = others?.get(incarnation)
    if (claim === undefined) return own
    const { state, accusers } = claim
    const isLoneWord = state === 'dead' && accusers.length === 1 && this.#hasOtherWitness(accusers[0] as NodeId)
    const said: MemberState = isLoneWord ? 'suspect' : state
    return own === undefined || PRECEDENCE[said] > PRECEDENCE[own.state] ? { incarnation, state: said } : own
  }

  #hasOtherWitness(accuser: NodeId): boolean {
    return this.#unaccused.size > (this.#unaccused.has(accuser) ? 1 : 0)
  }

  /** A full table forgets somebody who is gone; a stranger does not push out one who is there. */
  #hasRoom(): boolean {
    if (this.#members.size < this.#membersMax) return true
    for (const { id, state } of this.#members.values()) {
      if (state !== 'dead' && state !== 'left') continue
      this.#members.delete(id)
      this.#unaccused.delete(id)
      this.#counts[state]--
      return true
    }
    return false
  }
}

const isAccusation = (state: MemberState): boolean => state === 'suspect' || state === 'dead'

const highestOf = (others: ReadonlyMap<number, Claim>): number | undefined =>
  others.size === 0 ? undefined : Math.max(...others.keys())

function isUnaccused({ own, others }: Known): boolean {
  if (own?.state !== 'alive') return false
  return !isAccusation(others?.get(own.incarnation)?.state ?? 'alive')
}

function keep(others: Map<number, Claim>, incarnation: number, state: MemberState, author: NodeId): void {
  const claim = others.get(incarnation) ?? { state, accusers: [] }
  if (PRECEDENCE[state] > PRECEDENCE[claim.state]) claim.state = state
  if (isAccusation(state) && claim.accusers.length < 2 && !claim.accusers.includes(author)) claim.accusers.push(author)
  others.set(incarnation, claim)
  if (others.size > AHEAD_MAX) others.delete(highestOf(others) ?? 0)
}
