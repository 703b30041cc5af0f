import { LAMPORT_MAX } from '../../src/events/index.ts'
import type { NetworkRules } from '../../src/network/index.ts'

/** A network without an owner: whoever proves its key is admitted as whatever it says it is. */
export const OPEN_RULES: NetworkRules = {
  isRevoked: () => false,
  isShut: () => false,
  lamportMax: () => LAMPORT_MAX,
  ownLamportMax: () => LAMPORT_MAX,
  judge: () => 'take',
  mayBe: () => true,
}

/** The same with a bound on stamps. */
export const rulesUpTo = (lamportMax: number): NetworkRules => ({ ...OPEN_RULES, lamportMax: () => lamportMax })
