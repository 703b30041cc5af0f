import {
  BoundedMap,
  type BudgetHolder,
  Budgets,
  type Clock,
  type CommitBudget,
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
  type Lamport,
  lamportMaxAt,
  type NodeId,
  type NodeRole,
  OPEN_PARTY,
  ownLamportMaxAt,
  type Party,
  type Ruling,
  readCredential,
  type Standing,
  type Stream,
  standingOf,
  type VerifySignature,
} from '../../events/index.ts'
import type { Doorkeeper, NetworkRules } from '../../network/index.ts'
import { type AdmissionsState, admissionOf, comesTooLate, hasPlace, isRevoked, isShown } from '../../projections/index.ts'

/** Credentials that were shown and are in no event of the log yet. */
export const SHOWN_MAX = 4_096

export type AdmittanceOptions = {
  joined: JoinedNetwork
  verify: VerifySignature
  clock: Clock
  admissions(): AdmissionsState
  /** Its budget is used up; called once for a while. */
  onOverBudget?(author: NodeId): void
  /** Bytes of the log that all clients together may take, where less than by themselves. */
  clientsDiskBytesMax?: number
}

/**
 * Who may be here, and say what: the admissions of the log, and the credentials that peers have shown on their links and
 * that are in no log yet. One answer for links, for events, and for whatever is served.
 */
export class Admittance implements NetworkRules {
  readonly genesis: Genesis
  readonly #options: AdmittanceOptions
  /** What the log keeps of others. */
  readonly budgets: Budgets
  readonly #shown = new BoundedMap<NodeId, Invitation>(SHOWN_MAX)

  constructor(options: AdmittanceOptions) {
    this.#options = options
    this.genesis = decodeGenesis(options.joined.genesis)
    const { clock, onOverBudget, clientsDiskBytesMax } = options
    this.budgets = new Budgets({
      clock,
      networkSince: this.genesis.createdAt,
      holderOf: (author) => this.#holderOf(author),
      onOver: (author) => onOverBudget?.(author),
      ...(clientsDiskBytesMax === undefined ? {} : { clientsDiskBytesMax }),
    })
  }

  /** What we show ourselves, and who is let in. */
  get door(): Doorkeeper {
    return {
      credential: this.#options.joined.credential,
      refusal: (peer, credential) => this.refusal(peer, credential),
      isMember: (peer) => this.standingOf(peer) === 'member',
      partyOf: (peer) => this.#holderOf(peer).key,
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
    if (credential.length === 0) {
      if (!this.genesis.open) return 'missing'
      // Whom the owner put out does not come back by showing less.
      return isRevoked(state, peer) ? 'revoked' : undefined
    }
    let invitation: Invitation
    try {
      invitation = readCredential(credential, peer, this.genesis.owner, this.#options.verify)
    } catch (error) {
      if (error instanceof CredentialError) return error.code
      throw error
    }
    if (state.revoked.has(invitation.key)) return 'revoked'
    if (isExpired(invitation, this.#options.clock.now())) return 'expired'
    if (!this.#hasPlace(invitation, peer)) return 'used'
    if (!isShown(state, peer, invitation.key)) this.#shown.set(peer, invitation)
    return undefined
  }

  /** What this node may be now; undefined if it is not admitted, as far as is known. */
  standingOf(node: NodeId, at: number = this.#options.clock.now()): Standing | undefined {
    const state = this.#options.admissions()
    const admission = admissionOf(state, node, at) ?? this.#shownNow(node, at)
    if (admission !== undefined) return admission.role
    return this.genesis.open && !this.isRevoked(node) ? 'client' : undefined
  }

  mayBe(node: NodeId, role: NodeRole): boolean {
    return this.standingOf(node) === standingOf(role)
  }

  /** True if the owner took its admission back, and it has shown no other since: what it says weighs nothing. */
  isRevoked(node: NodeId): boolean {
    return isRevoked(this.#options.admissions(), node) && this.#shownNow(node) === undefined
  }

  isShut(author: NodeId, stream: Stream): boolean {
    return this.isRevoked(author) || this.isOverBudget(author, stream)
  }

  /** No more is kept of this stream of its invitation for now. */
  isOverBudget(author: NodeId, stream: Stream): boolean {
    return this.budgets.isShut(author, stream)
  }

  budget(): CommitBudget {
    return this.budgets.forCommit()
  }

  partyOf(author: NodeId): Party {
    return this.#holderOf(author)
  }

  lamportMax(): number {
    return lamportMaxAt(this.genesis.createdAt, this.#options.clock.now())
  }

  ownLamportMax(): number {
    return ownLamportMaxAt(this.genesis.createdAt, this.#options.clock.now())
  }

  judge(header: Pick<Header, 'author' | 'at' | 'kind' | 'lamport' | 'stream'>, credential: Uint8Array | undefined): Ruling {
    const ruling = this.#ruling(header, credential)
    if (ruling !== 'take' || header.kind === KINDS['offers.renewed'].number) return ruling
    return this.isOverBudget(header.author, header.stream) ? 'over-budget' : ruling
  }

  #ruling({ author, at, kind, lamport, stream }: Parameters<this['judge']>[0], credential: Uint8Array | undefined): Ruling {
    // First, since it may be a new one after the one before was revoked.
    if (credential !== undefined) return this.#isGood(author, lamport, credential) ? 'take' : 'refuse'
    if (this.isRevoked(author)) return 'refuse'
    const standing = this.standingOf(author, at)
    // One that was never shown may come yet; one that had expired when this was said will not.
    if (standing === undefined) return this.#isKnown(author) ? 'refuse' : 'defer'
    // Whoever finds a torrent must know who answers for it: what was shown here on a link alone proves nothing to them.
    if (stream === 'index' && !this.genesis.open && !this.#options.admissions().admitted.has(author)) return 'defer'
    const name = kindOfNumber(kind)
    return name !== undefined && KINDS[name].by === 'member' && standing !== 'member' ? 'refuse' : 'take'
  }

  #isGood(node: NodeId, lamport: Lamport, credential: Uint8Array): boolean {
    const state = this.#options.admissions()
    try {
      const invitation = readCredential(credential, node, this.genesis.owner, this.#options.verify)
      // Of a node that was put out it must be one that still holds. Of others any is taken, and says what became of it.
      if (state.revoked.has(node) || (state.revoked.has(invitation.key) && isRevoked(state, node))) return false
      if (comesTooLate(state.places, invitation, { node, lamport })) return false
      if (!isShown(state, node, invitation.key)) this.#shown.set(node, invitation)
      return true
    } catch (error) {
      if (error instanceof CredentialError) return false
      throw error
    }
  }

  /** What it has shown and is in no event yet, if that still holds; the time is left out where any will do. */
  #shownNow(node: NodeId, at?: number): Invitation | undefined {
    const { revoked, places } = this.#options.admissions()
    const shown = this.#shown.get(node)
    if (shown === undefined || revoked.has(node) || revoked.has(shown.key)) return undefined
    if (!hasPlace(places, shown, node, true)) return undefined
    return at !== undefined && isExpired(shown, at) ? undefined : shown
  }

  /** Whatever became of its invitation meanwhile: what is kept of it is kept. */
  #holderOf(author: NodeId): BudgetHolder {
    const invitation = this.#options.admissions().admitted.get(author)?.[0] ?? this.#shown.get(author)
    if (invitation === undefined) return { key: OPEN_PARTY, standing: 'client', since: this.genesis.createdAt }
    const { key, role, issuedAt } = invitation
    return { key, standing: role, since: issuedAt }
  }

  #isKnown(node: NodeId): boolean {
    return this.#options.admissions().admitted.has(node) || this.#shown.has(node)
  }

  /** False if another node has shown this invitation for one: in the log, or on a link and in no log yet. */
  #hasPlace(invitation: Invitation, node: NodeId): boolean {
    const { places } = this.#options.admissions()
    if (hasPlace(places, invitation, node)) return true
    if (!hasPlace(places, invitation, node, true)) return false
    for (const [shownBy, { key }] of this.#shown) if (key === invitation.key && shownBy !== node) return false
    return true
  }
}
