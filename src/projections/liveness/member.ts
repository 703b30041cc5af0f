import {
  compareCanonically,
  type Envelope,
  type EventOf,
  type MemberAddress,
  type NodeId,
  type NodeRole,
} from '../../events/index.ts'

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'

/** Where an event stands in canonical order; kept with what it said, so that later folds can compare. */
export type Stamp = Pick<Envelope, 'lamport' | 'author' | 'stream' | 'authorSeq' | 'at'>

/** The strongest word about a member so far. */
export type Word = { readonly state: MemberState; readonly incarnation: number; readonly by: Stamp }

/** Where it can be dialled and what it is, as the best source said. */
export type Whereabouts = { readonly role: NodeRole; readonly incarnation: number; readonly by: Stamp } & MemberAddress

export type RoundTrips = {
  readonly microsMin: number
  readonly microsMedian: number
  readonly microsMax: number
  readonly beatsSeen: number
  readonly beatsMissed: number
  /** ms since 1970, by the observer's clock */
  readonly lastAt: number
  readonly by: Stamp
}

export type MemberKind = 'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'
export const MEMBER_KINDS: readonly MemberKind[] = [
  'member.alive',
  'member.suspect',
  'member.dead',
  'member.refuted',
  'member.left',
]

const STATE_OF: Record<MemberKind, MemberState> = {
  'member.alive': 'alive',
  'member.refuted': 'alive',
  'member.suspect': 'suspect',
  'member.dead': 'dead',
  'member.left': 'left',
}

/** At one incarnation a later state here beats an earlier one, and nothing beats `left`: the member itself said it. */
const PRECEDENCE: Record<MemberState, number> = { alive: 0, suspect: 1, dead: 2, left: 3 }

export const wordOf = (envelope: Envelope, event: EventOf<MemberKind>): Word => ({
  state: STATE_OF[event.kind],
  incarnation: event.incarnation,
  by: stampOf(envelope),
})

export const stampOf = ({ lamport, author, stream, authorSeq, at }: Envelope): Stamp => ({
  lamport,
  author,
  stream,
  authorSeq,
  at,
})

/**
 * True if `a` is to be believed over `b`: higher incarnation, then dead over suspect over alive, then whoever said it
 * first in canonical order. A total order, so the best of a set of words is the same in whatever order they came.
 * Source: SWIM (Das, Gupta, Motivala 2002), section 4.2; `left` as in memberlist.
 */
export function outweighs(a: Word, b: Word): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation
  if (a.state !== b.state) return PRECEDENCE[a.state] > PRECEDENCE[b.state]
  return compareCanonically(a.by, b.by) < 0
}

/** Incarnations above a member's own word of which others' words are kept, until the member's word has come. */
const AHEAD_MAX = 8

/** Others whose words of one incarnation are kept, the latest: what was said before the announcement is the first to go. */
const CLAIMS_MAX = 4

/** What others said of one incarnation, each the last time, the latest first. */
export type Claim = readonly [Word, ...Word[]]

/**
 * What is said of one member: its own strongest word, and what others claim of that incarnation and later ones, ascending.
 * Others count only of the incarnation that the member itself announced, and only with a later stamp than the announcement:
 * a liar cannot kill one that is to come, nor name a number that the member could not go above. Before the member's own word
 * has come, theirs is all there is.
 */
export type Words = { readonly own: Word | undefined; readonly others: readonly Claim[] }

export const NO_WORDS: Words = { own: undefined, others: [] }

const incarnationOf = ([word]: Claim): number => word.incarnation

/** @returns the same object where the word changes nothing */
export function withWord(words: Words, subject: NodeId, word: Word): Words {
  const { own, others } = words
  if (word.by.author === subject) {
    if (own !== undefined && !outweighs(word, own)) return words
    return { own: word, others: others.filter((claim) => incarnationOf(claim) >= word.incarnation) }
  }
  if (own !== undefined && word.incarnation < own.incarnation) return words
  const index = others.findIndex((claim) => incarnationOf(claim) === word.incarnation)
  const same = others[index]
  if (same !== undefined) {
    const claim = withClaim(same, word)
    return claim === same ? words : { own, others: others.with(index, claim) }
  }
  const highest = others.at(-1)
  // Above all that are kept: there is room for it, or it is the one that is dropped.
  if (highest === undefined || word.incarnation > incarnationOf(highest))
    return others.length < AHEAD_MAX ? { own, others: [...others, [word]] } : words
  const kept: Claim[] = [...others, [word] satisfies Claim]
  // The lowest are next to be announced; what is dropped was never announced by anybody honest.
  return { own, others: kept.sort((a, b) => incarnationOf(a) - incarnationOf(b)).slice(0, AHEAD_MAX) }
}

const isLater = (a: Word, b: Word): boolean => compareCanonically(a.by, b.by) > 0

// The latest of each author's latest: the same for every order of arrival.
function withClaim(claim: Claim, word: Word): Claim {
  const before = claim.find(({ by }) => by.author === word.by.author)
  if (before !== undefined && !isLater(word, before)) return claim
  const [first, ...rest] = [...claim.filter((one) => one !== before), word].sort((a, b) => (isLater(a, b) ? -1 : 1))
  const kept: Claim = [first as Word, ...rest.slice(0, CLAIMS_MAX - 1)]
  return kept.includes(word) ? kept : claim
}

const isAccusation = (word: Word | undefined): boolean => word?.state === 'suspect' || word?.state === 'dead'

/** What others say that counts, the strongest first: against a member's own word, what was said later. */
function counting({ own, others }: Words): readonly Word[] {
  const claim = own === undefined ? others.at(-1) : others.find((one) => incarnationOf(one) === own.incarnation)
  const said = (claim ?? []).filter((word) => own === undefined || word.by.lamport > own.by.lamport)
  return said.sort((a, b) => (outweighs(a, b) ? -1 : 1))
}

/** True if a member says it is alive and nobody says otherwise: its silence about somebody else's death counts. */
export function isUnaccused(words: Words): boolean {
  return words.own?.state === 'alive' && !counting(words).some(isAccusation)
}

/**
 * The word that counts. One accuser alone makes nobody dead while `hasOtherWitness` says that somebody besides it is there
 * to see for himself: until a second one agrees, the member is suspected.
 */
export function strongest(words: Words, hasOtherWitness: (accuser: NodeId) => boolean): Word | undefined {
  const { own } = words
  const [first, second] = counting(words)
  if (first === undefined) return own
  const isLoneWord = first.state === 'dead' && !isAccusation(second) && hasOtherWitness(first.by.author)
  const other: Word = isLoneWord ? { ...first, state: 'suspect' } : first
  return own === undefined || outweighs(other, own) ? other : own
}

/** A member's own word about where it is counts over anybody's; then the higher incarnation, then the later event. */
export function knowsBetter(subject: NodeId, a: Whereabouts, b: Whereabouts): boolean {
  const own = Number(a.by.author === subject) - Number(b.by.author === subject)
  if (own !== 0) return own > 0
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation
  return compareCanonically(a.by, b.by) > 0
}
