import type { NodeId, VersionVector } from '../../events/index.ts'
import type { AuthorRange } from '../wire.ts'
import type { HeldEvents } from './admission.ts'

/** Claims remembered in all, and of one peer; the oldest give way. */
export const CLAIMS_MAX = 4_096
export const CLAIMS_OF_PEER_MAX = 1_024
/** What was passed over is asked for again after this, ms, of everybody; and a peer what it said it has pruned. */
export const PASSED_OVER_MS = 60 * 60_000
export const ASK_AGAIN_MS = 10 * 60_000

/**
 * `signedAt`: the earliest time, ms since 1970, that the author put to one of its events above the range; undefined while no
 * such event is at hand. `isVoid`: it never counts.
 */
type Claim = {
  readonly peer: NodeId
  readonly range: AuthorRange
  readonly heardAt: number
  readonly isVoid: boolean
  signedAt: number | undefined
}

export type PrunedElsewhereOptions = {
  self: NodeId
  held: Pick<HeldEvents, 'has' | 'versionVector'>
  /** How long events are kept that are pruned at all, ms. */
  retentionMs: number
  /** True while this node takes back what it said itself, after a backup was restored. */
  isRecovering: () => boolean
}

/**
 * What peers say they have pruned. Nobody signs that, so it counts only below an event that its author has signed, and only
 * where that event is older than what honest nodes prune. It never changes the log: what is passed over counts as held when
 * vectors are compared, for an hour, and is not told to anybody as gone.
 */
export class PrunedElsewhere {
  readonly #options: PrunedElsewhereOptions
  /** In the order in which they came. */
  #claims: Claim[] = []
  readonly #byAuthor = new Map<NodeId, Claim[]>()
  /** Heads of authors with what was passed over, as far as they were followed. */
  readonly #reached = new Map<NodeId, number>()

  constructor(options: PrunedElsewhereOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#claims.length
  }

  /** @param signed events of the author that are at hand, with their claimed times. @returns false for what the peer said before */
  claim(peer: NodeId, range: AuthorRange, signed: Iterable<{ authorSeq: number; at: number }>, now: number): boolean {
    const { self, isRecovering } = this.#options
    const own = this.#byAuthor.get(range.author) ?? []
    const isKnown = own.some((one) => one.peer === peer && one.range.from <= range.from && one.range.to >= range.to)
    if (isKnown) return false
    const isVoid = range.author === self && !isRecovering()
    const claim: Claim = { peer, range, heardAt: now, isVoid, signedAt: undefined }
    for (const { authorSeq, at } of signed) note(claim, authorSeq, at)
    const ofPeer = this.#claims.filter((one) => one.peer === peer)
    if (ofPeer.length >= CLAIMS_OF_PEER_MAX) this.#forget(ofPeer[0])
    else if (this.#claims.length >= CLAIMS_MAX) this.#forget(this.#claims[0])
    this.#claims.push(claim)
    this.#byAuthor.set(range.author, [...(this.#byAuthor.get(range.author) ?? []), claim])
    return true
  }

  /** An event of this author is at hand, its signature checked. */
  signed(author: NodeId, authorSeq: number, at: number): void {
    for (const claim of this.#byAuthor.get(author) ?? []) note(claim, authorSeq, at)
  }

  /** The parts of a range that this peer has not said to have pruned. */
  *notSaidBy(peer: NodeId, { author, from, to }: AuthorRange): Generator<AuthorRange> {
    let next = from
    const said = (this.#byAuthor.get(author) ?? []).filter((one) => one.peer === peer).map(({ range }) => range)
    for (const range of said.sort((a, b) => a.from - b.from)) {
      if (range.to < next || range.from > to) continue
      if (range.from > next) yield { author, from: next, to: range.from - 1 }
      next = range.to + 1
    }
    if (next <= to) yield { author, from: next, to }
  }

  /** The heads of the log, with what is passed over. */
  vector(now: number): VersionVector {
    this.#forgetOld(now)
    const held = this.#options.held.versionVector()
    let vector: Map<NodeId, number> | undefined
    for (const [author, claims] of this.#byAuthor) {
      const proven = claims.filter((claim) => this.#isProven(claim, now)).map(({ range }) => range)
      if (proven.length === 0) continue
      const head = this.#follow(author, Math.max(held.get(author) ?? 0, this.#reached.get(author) ?? 0), proven)
      this.#reached.set(author, head)
      if (head > (held.get(author) ?? 0)) {
        vector ??= new Map(held)
        vector.set(author, head)
      }
    }
    return vector ?? held
  }

  #follow(author: NodeId, from: number, proven: readonly AuthorRange[]): number {
    let head = from
    for (;;) {
      const over = proven.find((range) => range.from <= head + 1 && range.to > head)
      if (over !== undefined) head = over.to
      else if (this.#options.held.has({ author, stream: 'gossip', authorSeq: head + 1 })) head++
      else return head
    }
  }

  #isProven({ isVoid, signedAt }: Claim, now: number): boolean {
    return !isVoid && signedAt !== undefined && signedAt <= now - this.#options.retentionMs
  }

  /** Those that count last for an hour, and the others for as long as their peer is not to be asked again. */
  #forgetOld(now: number): void {
    for (const claim of this.#claims) {
      const ageMs = now - claim.heardAt
      if (ageMs >= ASK_AGAIN_MS && (ageMs >= PASSED_OVER_MS || !this.#isProven(claim, now))) this.#forget(claim)
    }
  }

  #forget(claim: Claim | undefined): void {
    if (claim === undefined) return
    const { author } = claim.range
    this.#claims = this.#claims.filter((one) => one !== claim)
    const left = (this.#byAuthor.get(author) ?? []).filter((one) => one !== claim)
    if (left.length > 0) this.#byAuthor.set(author, left)
    else this.#byAuthor.delete(author)
    this.#reached.delete(author)
  }
}

function note(claim: Claim, authorSeq: number, at: number): void {
  if (authorSeq > claim.range.to) claim.signedAt = Math.min(claim.signedAt ?? Number.POSITIVE_INFINITY, at)
}
