import { brokenRule } from './judge.ts'
import { count, newSubject } from './ledger.ts'
import { newWindow, pushPieces } from './piece-window.ts'
import type { Policy } from './policy.ts'

// What a policy comes to, in pieces and reporters: its numbers say little, and these sentences are computed from them.

/** Further than this nobody is followed. */
const PIECES_MAX = 5000
const RUNS = 101

/** Equal numbers for equal seeds (mulberry32), in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Pieces until a peer that spoils `share` of them is banned by what is seen here: the median of 101 runs, seeds 1 to 101;
 * undefined if half of them see no ban in 5,000 pieces.
 */
export function piecesToBan(policy: Policy, share: number): number | undefined {
  const runs = Array.from({ length: RUNS }, (_, run) => piecesInRun(policy, share, randomFrom(run + 1)))
  const median = runs.sort((a, b) => a - b)[RUNS >> 1]
  return median === undefined || median > PIECES_MAX ? undefined : median
}

function piecesInRun(policy: Policy, share: number, random: () => number): number {
  const subject = newSubject('' as never)
  const window = newWindow(policy.windowPieces)
  subject.window = window
  for (let piece = 1; piece <= PIECES_MAX; piece++) {
    const isBad = random() < share
    count(subject.own, isBad ? 0 : 1, isBad ? 1 : 0)
    pushPieces(window, 1, isBad)
    if (isBad && brokenRule(subject, policy) !== undefined) return piece
  }
  return PIECES_MAX + 1
}

const SHARES: readonly (readonly [share: number, who: string])[] = [
  [1, 'that sends nothing but bad pieces'],
  [0.5, 'that spoils every second piece'],
  [0.2, 'that spoils one piece in five'],
  [0.05, 'that spoils one piece in twenty'],
]

/** What the policy does, in sentences; the first ones take some milliseconds each. */
export function policyConsequences(policy: Policy): string[] {
  const sentences = SHARES.map(([share, who]) => {
    const pieces = piecesToBan(policy, share)
    return pieces === undefined
      ? `A peer ${who} is not banned in ${PIECES_MAX.toLocaleString('en')} of them.`
      : `A peer ${who} is banned after about ${pieces}.`
  })
  sentences.push(strangers(policy), reporter(policy), gossip(policy), praise(policy), quorum(policy))
  return sentences
}

const mostOfOne = ({ reporterClamp }: Policy): number => reporterClamp
const isDeaf = (policy: Policy): boolean => mostOfOne(policy) === 0

function strangers(policy: Policy): string {
  if (isDeaf(policy)) return 'What others say moves no score.'
  if (policy.strangerWeight === 0) return 'The word of a key that nothing is known of weighs nothing.'
  return `The word of a key that nothing is known of weighs ${policy.strangerWeight / 10} % of a full one.`
}

const reporter = (policy: Policy): string =>
  `One reporter moves a peer by at most ${policy.reporterClamp.toLocaleString('en')} points.`

function gossip(policy: Policy): string {
  if (isDeaf(policy)) return 'Nobody is banned by what others say.'
  if (policy.gossipBans === 0) return 'What others say bans nobody that sent no bad piece here.'
  // Fewest points that a score must lose to fall below 0, by reporters that nobody knows.
  const each = Math.trunc((policy.reporterClamp * policy.strangerWeight) / 1000)
  if (each === 0) return 'What others say bans alone, once they have earned weight.'
  const liars = Math.floor(policy.start / each) + 1
  return `What others say bans alone: ${liars === 1 ? 'one liar is' : `${liars} liars are`} enough.`
}

const praise = (policy: Policy): string =>
  policy.praiseLifts === 1 && !isDeaf(policy)
    ? 'Praise lifts a score, so a ring that praises itself gains.'
    : 'Praise lifts no score.'

const quorum = ({ trusted, quorum }: Policy): string =>
  trusted.length >= quorum
    ? `The evidence of ${quorum} of the ${trusted.length} trusted keys bans without any seen here.`
    : 'No trusted keys ban without evidence seen here.'
