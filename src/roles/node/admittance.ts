import {
  type Clock,
  CredentialError,
  type CredentialFault,
  decodeGenesis,
  type Genesis,
  type Header,
  type Invitation,
  isExpired,
  type JoinedNetwork,
  KINDS,
  kindOfNumber,
  lamportMaxAt,
  type NodeId,
  type NodeRole,
  type Ruling,
  readCredential,
  type Standing,
  standingOf,
  type VerifySignature,
} from '../../events/index.ts'
import type { Doorkeeper, NetworkRules } from '../../network/index.ts'
import { type AdmissionsState, admissionOf, isRevoked, isShown } from '../../projections/index.ts'

/** Credentials that were shown and are in no event of the log yet. */
const SHOWN_MAX = 4_096

export type AdmittanceOptions = {
  joined: JoinedNetwork
  verify: VerifySignature
  clock: Clock
  admissions(): AdmissionsState
}

/**
 * Who may be here, and say what: the admissions of the log, and the credentials that peers have shown on their links and
 * that are in no log yet. One answer for links, for events, and for whatever is served.
 */
export class Admittance implements NetworkRules {
  readonly genesis: Genesis
  readonly #options: AdmittanceOptions
  readonly #shown = new Map<NodeId, Invitation>()

  constructor(options: AdmittanceOptions) {
    this.#options = options
    this.genesis = decodeGenesis(options.joined.genesis)
  }

  /** What we show ourselves, and who is let in. */
  get door(): Doorkeeper {
    return {
      credential: this.#options.joined.credential,
      refusal: (peer, credential) => this.refusal(peer, credential),
      isMember: (peer) => this.standingOf(peer) === 'member',
    }
  }

  /**
   * The invitation that admits this node itself; undefined for a client of an open network.
   * @throws CredentialError if it is not let in with it as a node of this role
   */
  own(self: NodeId, role: NodeRole): Invitation | undefined {
    const { credential } = this.#options.joined
    if (credential.length === 0 && role === 'client' && this.genesis.open) return undefined
    const fault = this.refusal(self, credential)
    if (fault !== undefined) throw new CredentialError(fault, `this node is not let in: ${fault}`)
    const invitation = readCredential(credential, self, this.genesis.owner, this.#options.verify)
    if (invitation.role !== standingOf(role)) throw new CredentialError('role', `invited as a ${invitation.role}`)
    return invitation
  }

  /** Looks at what a peer shows. @returns why it is refused, or undefined for one that is let in */
  refusal(peer: NodeId, credential: Uint8Array): CredentialFault | undefined {
    const state = this.#options.admissions()
    if (state.revoked.has(peer)) return 'revoked'
    if (credential.length === 0) return this.genesis.open ? undefined : 'missing'
    let invitation: Invitation
    try {
      invitation = readCredential(credential, peer, this.genesis.owner, this.#options.verify)
    } catch (error) {
      if (error instanceof CredentialError) return error.code
      throw error
    }
    if (state.revoked.has(invitation.key)) return 'revoked'
    if (isExpired(invitation, this.#options.clock.now())) return 'expired'
    if (!isShown(state, peer, invitation.key)) this.#remember(peer, invitation)
    return undefined
  }

  /** What this node may be now; undefined if it is not admitted, as far as is known. */
  standingOf(node: NodeId, at: number = this.#options.clock.now()): Standing | undefined {
    const state = this.#options.admissions()
    const shown = this.#shown.get(node)
    if (isRevoked(state, node) || (shown !== undefined && state.revoked.has(shown.key))) return undefined
    const admission = admissionOf(state, node, at) ?? (shown !== undefined && !isExpired(shown, at) ? shown : undefined)
    return admission?.role ?? (this.genesis.open ? 'client' : undefined)
  }

  mayBe(node: NodeId, role: NodeRole): boolean {
    return this.standingOf(node) === standingOf(role)
  }

  /** True if the owner took its admission back: what it says weighs nothing. */
  isRevoked(node: NodeId): boolean {
    return isRevoked(this.#options.admissions(), node)
  }

  lamportMax(): number {
    return lamportMaxAt(this.genesis.createdAt, this.#options.clock.now())
  }

  judge({ author, at, kind }: Pick<Header, 'author' | 'at' | 'kind'>, credential: Uint8Array | undefined): Ruling {
    if (this.isRevoked(author)) return 'refuse'
    if (credential !== undefined) return this.#isGood(author, credential) ? 'take' : 'refuse'
    const standing = this.standingOf(author, at)
    // One that was never shown may come yet; one that had expired when this was said will not.
    if (standing === undefined) return this.#isKnown(author) ? 'refuse' : 'defer'
    const name = kindOfNumber(kind)
    return name !== undefined && KINDS[name].by === 'member' && standing !== 'member' ? 'refuse' : 'take'
  }

  #isGood(node: NodeId, credential: Uint8Array): boolean {
    try {
      const invitation = readCredential(credential, node, this.genesis.owner, this.#options.verify)
      if (!isShown(this.#options.admissions(), node, invitation.key)) this.#remember(node, invitation)
      return true
    } catch (error) {
      if (error instanceof CredentialError) return false
      throw error
    }
  }

  #isKnown(node: NodeId): boolean {
    return this.#options.admissions().admitted.has(node) || this.#shown.has(node)
  }

  #remember(node: NodeId, invitation: Invitation): void {
    this.#shown.delete(node)
    this.#shown.set(node, invitation)
    if (this.#shown.size <= SHOWN_MAX) return
    for (const oldest of this.#shown.keys()) {
      this.#shown.delete(oldest)
      return
    }
  }
}
