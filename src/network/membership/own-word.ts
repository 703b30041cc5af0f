import type { MemberAddress, NodeId, NodeRole } from '../../events/index.ts'
import type { MemberEvent } from './member-table.ts'
import type { MembershipEffect } from './membership-protocol.ts'

type Kind = 'member.alive' | 'member.refuted' | 'member.left'

export type OwnWordOptions = {
  self: NodeId
  role: NodeRole
  /** Higher than at every earlier start of this node. */
  incarnation: number
  address: () => MemberAddress
}

/**
 * What this node says of itself. The incarnation that counts is that of the last word that is stored: others know no later
 * one, and accuse no later one. A word counts as being said from its append until it is stored, also while the log fails.
 */
export class OwnWord {
  readonly #options: OwnWordOptions
  #incarnation: number
  /** The word that is not stored yet. */
  #saying: { readonly kind: Kind; readonly incarnation: number } | undefined
  #left = false

  constructor(options: OwnWordOptions) {
    this.#options = options
    this.#incarnation = options.incarnation
  }

  /** That of the last stored word; at first the one that this start is to announce. */
  get incarnation(): number {
    return this.#incarnation
  }

  get hasLeft(): boolean {
    return this.#left
  }

  /** The highest incarnation that we have said, or are saying. */
  get #said(): number {
    return Math.max(this.#incarnation, this.#saying?.incarnation ?? 0)
  }

  announce(): MembershipEffect {
    return this.#say('member.alive', this.#incarnation)
  }

  leave(): MembershipEffect {
    this.#left = true
    return this.#say('member.left', this.#said)
  }

  /**
   * Somebody believes something of this incarnation of ours. @returns the refutation, if there has to be one
   * Nobody believes a word about an incarnation that we did not announce (see member-table.ts): it needs no answer. If we did,
   * in a run whose log we lost, our own word of it comes back to us (see `stored`).
   */
  refute(belief: string, incarnation: number): MembershipEffect | undefined {
    const isAccused = belief === 'suspect' || belief === 'dead' || belief === 'left'
    if (!isAccused || incarnation !== this.#incarnation || this.#said > incarnation || this.#left) return undefined
    return this.#say('member.refuted', incarnation + 1)
  }

  /** A word of ours is stored. @returns what has to be said above it, if an earlier run said it, whose log we do not have */
  stored({ kind, incarnation }: MemberEvent): MembershipEffect | undefined {
    const isOurs = this.#saying?.kind === kind && this.#saying.incarnation === incarnation
    const said = this.#said
    this.#incarnation = Math.max(this.#incarnation, incarnation)
    if (isOurs) {
      this.#saying = undefined
      return undefined
    }
    // At an incarnation of ours only its goodbye matters: it holds against all that we say of it, and we did not say it.
    const isOver = incarnation === said && kind === 'member.left' && !this.#left
    return incarnation > said || isOver ? this.#say('member.alive', incarnation + 1) : undefined
  }

  /** True of a word that is still the one that we want to say. */
  isWanted({ kind, incarnation }: MemberEvent): boolean {
    return this.#saying?.kind === kind && this.#saying.incarnation === incarnation
  }

  /** The word that is not stored yet, once more. */
  sayAgain(): MembershipEffect[] {
    return this.#saying === undefined ? [] : [this.#say(this.#saying.kind, this.#saying.incarnation)]
  }

  #say(kind: Kind, incarnation: number): MembershipEffect {
    const { self, role, address } = this.#options
    this.#saying = { kind, incarnation }
    return { do: 'append', event: { kind, subject: self, incarnation, role, ...address() } }
  }
}
