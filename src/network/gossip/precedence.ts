import { type EventKind, KINDS } from '../../events/index.ts'

// Verdicts before chatter: who may be here, and what somebody saw a peer or a member do, is needed now, by all; anything
// else can wait.

const FIRST: readonly EventKind[] = [
  'access.revoked',
  'node.admitted',
  'member.alive',
  'member.suspect',
  'member.dead',
  'member.refuted',
  'member.left',
  'piece.judged',
  'piece.suspected',
]

const NUMBERS: ReadonlySet<number> = new Set(FIRST.map((kind) => KINDS[kind].number))

/** True if events of this kind go before others: over links, and with a rate of their own for each author. */
export const goesFirst = (header: { readonly kind: number }): boolean => NUMBERS.has(header.kind)
