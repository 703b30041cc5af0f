/** Suspicion in probe periods is this times log10 of the members: time for a rumour, and its refutation, to go round. */
const SUSPICION_MULTIPLIER = 2.5
/** Without anybody's confirmation a suspicion lasts this much longer. */
const SUSPICION_MAX_MULTIPLIER = 6
/** Independent suspicions after which the shortest time counts. */
export const CONFIRMATIONS_EXPECTED = 3

/**
 * How long a suspect has to refute before it is declared dead, in ms: it shrinks, logarithmically, from the longest to
 * the shortest time as others confirm. `members` counts those that are probed, the suspect included.
 * Source: Lifeguard (Dadgar, Phillips, Currey 2018), section IV-B; the constants as in memberlist, but 2.5 for 4.
 */
export function suspicionMs(members: number, confirmations: number, probeEveryMs: number): number {
  const shortest = SUSPICION_MULTIPLIER * Math.max(1, Math.log10(Math.max(1, members))) * probeEveryMs
  // In a small group there may not be as many others as would be needed to confirm.
  const expected = Math.min(CONFIRMATIONS_EXPECTED, Math.max(0, members - 2))
  if (expected === 0) return shortest
  const longest = shortest * SUSPICION_MAX_MULTIPLIER
  const agreed = Math.log(Math.min(confirmations, expected) + 1) / Math.log(expected + 1)
  return Math.max(shortest, longest - (longest - shortest) * agreed)
}

const HEALTH_SCORE_MAX = 8

/**
 * A node's doubt in itself: missed answers raise it, answers lower it, and its probes get slower and more patient by it,
 * so that a slow node does not call the others dead. Source: Lifeguard, section IV-A (local health multiplier).
 */
export class LocalHealth {
  #score = 0

  /** 1 for a healthy node, up to 9. */
  get multiplier(): number {
    return this.#score + 1
  }

  better(): void {
    this.#score = Math.max(0, this.#score - 1)
  }

  worse(by: number): void {
    this.#score = Math.min(HEALTH_SCORE_MAX, this.#score + by)
  }
}
