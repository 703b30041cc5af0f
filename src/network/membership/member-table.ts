import { type EventOf, type MemberAddress, NO_ADDRESS, type NodeId, type NodeRole } from '../../events/index.ts'

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'
export type MemberEventKind = 'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'
export type MemberEvent = EventOf<MemberEventKind>

export type Member = {
  readonly id: NodeId
  role: NodeRole
  address: MemberAddress
  state: MemberState
  incarnation: number
}

type Word = { readonly incarnation: number; readonly state: MemberState; readonly lamport: number }
/** What one of the others said of one incarnation, the last time. */
type Claim = { readonly by: NodeId; readonly state: MemberState; readonly lamport: number }
/** A member, and what was said of it: by itself, and by others, of whom nearly all members have none. */
type Known = Member & { own: Word | undefined; others: Map<number, Claim[]> | undefined }

/** Incarnations above a member's own word of which others' words are kept, until the member's word has come. */
const AHEAD_MAX = 8
/** Others whose words of one incarnation are kept, the latest: what was said before the announcement is the first to go. */
const CLAIMS_MAX = 4

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
 * alive (Das, Gupta, Motivala 2002, section 4.2). Others' words count only of the incarnation that the member itself
 * announced, and only with a later stamp than the announcement: else a liar could name one that it cannot go above, or accuse
 * those that are to come. And the word of one alone makes nobody dead while somebody besides it is there who could see for
 * himself. Where a member is, it says itself: others can have nobody dial. The same as the liveness projection has it.
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
  fold(author: NodeId, event: MemberEvent, lamport: number): Member[] {
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
      member = { id: event.subject, role, address: NO_ADDRESS, state, incarnation, own: undefined, others: undefined }
      this.#members.set(event.subject, member)
      this.#counts[state]++
    }
    if (incarnation < (member.own?.incarnation ?? 0)) return []
    if (own) {
      const { address } = member
      if (address.host !== host || address.port !== port || address.dhtPort !== dhtPort)
        member.address = { host, port, dhtPort }
      member.role = role
      const same = member.own?.incarnation === incarnation ? member.own : undefined
      const isStronger = same === undefined || PRECEDENCE[state] > PRECEDENCE[same.state]
      if (!isStronger && (state !== same.state || lamport >= same.lamport)) return []
      // Of one incarnation announced twice, the earlier announcement counts.
      member.own = { incarnation, state, lamport }
      for (const known of member.others?.keys() ?? []) if (known < incarnation) member.others?.delete(known)
    } else {
      member.others ??= new Map()
      keep(member.others, incarnation, { by: author, state, lamport })
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
    const claims = countingOf(others?.get(incarnation), own)
    const [strongest] = claims
    if (strongest === undefined) return own
    const accusers = claims.filter(({ state }) => isAccusation(state))
    const { state, by, lamport } = strongest
    const isLoneWord = state === 'dead' && accusers.length === 1 && this.#hasOtherWitness(by)
    const said: MemberState = isLoneWord ? 'suspect' : state
    return own === undefined || PRECEDENCE[said] > PRECEDENCE[own.state] ? { incarnation, state: said, lamport } : own
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

const highestOf = (others: ReadonlyMap<number, unknown>): number | undefined =>
  others.size === 0 ? undefined : Math.max(...others.keys())

/** Those that count against this announcement, the strongest first. */
const countingOf = (claims: readonly Claim[] = [], own: Word | undefined): readonly Claim[] =>
  claims
    .filter(({ lamport }) => own === undefined || lamport > own.lamport)
    .sort((a, b) => PRECEDENCE[b.state] - PRECEDENCE[a.state])

function isUnaccused({ own, others }: Known): boolean {
  if (own?.state !== 'alive') return false
  return !countingOf(others?.get(own.incarnation), own).some(({ state }) => isAccusation(state))
}

function keep(others: Map<number, Claim[]>, incarnation: number, claim: Claim): void {
  const claims = others.get(incarnation) ?? []
  const at = claims.findIndex(({ by }) => by === claim.by)
  if (at < 0) claims.push(claim)
  else if (isLater(claim, claims[at] as Claim)) claims[at] = claim
  others.set(incarnation, claims)
  if (claims.length > CLAIMS_MAX) claims.sort((a, b) => (isLater(a, b) ? -1 : 1)).pop()
  if (others.size > AHEAD_MAX) others.delete(highestOf(others) ?? 0)
}

function isLater(a: Claim, b: Claim): boolean {
  if (a.lamport !== b.lamport) return a.lamport > b.lamport
  return a.by === b.by ? PRECEDENCE[a.state] > PRECEDENCE[b.state] : a.by > b.by
}
