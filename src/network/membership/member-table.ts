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
 * alive (Das, Gupta, Motivala 2002, section 4.2). The same order as the liveness projection has, so they agree.
 */
export class MemberTable {
  readonly #members = new Map<NodeId, Member>()
  readonly #membersMax: number

  constructor(membersMax: number) {
    this.#membersMax = membersMax
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
    const before = this.#members.get(event.subject)
    if (before === undefined) {
      if (!this.#hasRoom()) return undefined
      const address = { host, port, dhtPort }
      const added: Member = { id: event.subject, role, address, state, incarnation, addressIsOwnWord: own }
      this.#members.set(event.subject, added)
      return added
    }
    if (incarnation < before.incarnation) return undefined
    if (own || !before.addressIsOwnWord) {
      before.address = { host, port, dhtPort }
      before.role = role
      before.addressIsOwnWord ||= own
    }
    if (incarnation === before.incarnation && PRECEDENCE[state] <= PRECEDENCE[before.state]) return undefined
    before.state = state
    before.incarnation = incarnation
    return before
  }

  /** A full table forgets somebody who is gone; a stranger does not push out one who is there. */
  #hasRoom(): boolean {
    if (this.#members.size < this.#membersMax) return true
    for (const { id, state } of this.#members.values()) {
      if (state !== 'dead' && state !== 'left') continue
      this.#members.delete(id)
      return true
    }
    return false
  }
}
