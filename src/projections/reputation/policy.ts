import { isNodeId, type NodeId, type PolicyAdopted } from '../../events/index.ts'

/**
 * A reputation policy: which evidence weighs what. All whole numbers, in points or pieces, so that every machine
 * computes the same.
 */
export type Policy = {
  readonly id: string
  /** Points of a peer that nothing is known of. */
  readonly start: number
  /** Points for a good piece. */
  readonly good: number
  /** Points lost for a bad piece. Below one bad piece in `1 + bad / good` the sum never bans: the rate rule is for those. */
  readonly bad: number
  /** The rate rule looks at so many last pieces, */
  readonly windowPieces: number
  /** once it has at least so many (a few unlucky first ones prove nothing), */
  readonly windowPiecesMin: number
  /** and bans at so many bad ones among them. */
  readonly windowBad: number
  /** One reporter moves a peer by at most so many points, whatever it reports. */
  readonly reporterClamp: number
  /**
   * The word of every reporter weighs at least so many thousandths, whatever came of it before. 0: what agreement with this
   * node has earned, and nothing else.
   */
  readonly strangerWeight: number
  /** 1: what others say bans alone once it takes a peer below 0. 0: it takes a bad piece seen here too. */
  readonly gossipBans: number
  /** 1: praise by others lifts a score. 0: it answers slander and nothing else. */
  readonly praiseLifts: number
  /** So many trusted keys, each with evidence that would ban by itself, ban without an own verdict. */
  readonly quorum: number
  /** Keys that the operator trusts, ascending. */
  readonly trusted: readonly NodeId[]
}

/**
 * The default. 10 bad of the last 256 catch one bad piece in twenty after about 200 pieces; a disk that spoils one piece
 * in 500 has a chance below one in a million to get there.
 */
export const SEED_V1: Policy = {
  id: 'seed-v1',
  start: 100,
  good: 1,
  bad: 5,
  windowPieces: 256,
  windowPiecesMin: 100,
  windowBad: 10,
  reporterClamp: 30,
  strangerWeight: 0,
  gossipBans: 0,
  praiseLifts: 0,
  quorum: 2,
  trusted: [],
}

/**
 * How the ancestor of this project judged: the naive sum over everybody's word, a liar's like an honest one's, and no rule for
 * those who spoil one piece in ten. To compare with; one reporter alone bans whomever it likes.
 */
export const ANCESTOR: Policy = {
  ...SEED_V1,
  id: 'ancestor',
  // A window of one piece never holds so many bad ones.
  ...{ windowPieces: 1, windowPiecesMin: 4096, windowBad: 4096 },
  ...{ reporterClamp: 1_000_000, strangerWeight: 1000, gossipBans: 1, praiseLifts: 1 },
  quorum: 1_000_000,
}

/** What this node saw itself, and nothing that others say. */
export const LOCAL_ONLY: Policy = { ...SEED_V1, id: 'local-only', reporterClamp: 0, quorum: 1_000_000 }

/** By name. */
export const SHIPPED_POLICIES: ReadonlyMap<string, Policy> = new Map(
  [ANCESTOR, SEED_V1, LOCAL_ONLY].map((policy) => [policy.id, policy]),
)

const WINDOW_PIECES_MAX = 4096
const POINTS_MAX = 1_000_000
const TRUST = 'trust:'

type Bounds = readonly [min: number, max: number]
export type ParameterName = Exclude<keyof Policy, 'id' | 'trusted'>
export const PARAMETERS: { readonly [K in ParameterName]: Bounds } = {
  start: [0, POINTS_MAX],
  good: [0, POINTS_MAX],
  bad: [0, POINTS_MAX],
  windowPieces: [1, WINDOW_PIECES_MAX],
  windowPiecesMin: [1, WINDOW_PIECES_MAX],
  windowBad: [1, WINDOW_PIECES_MAX],
  reporterClamp: [0, POINTS_MAX],
  strangerWeight: [0, 1000],
  gossipBans: [0, 1],
  praiseLifts: [0, 1],
  quorum: [1, POINTS_MAX],
}

/**
 * The policy of a `policy.adopted` event: seed-v1 with the parameters that it names. A trusted key is a parameter
 * `trust:` and its id, with any value but 0. What is unknown or out of range stays as in seed-v1.
 */
export function policyOf({ policy, parameters }: Pick<PolicyAdopted, 'policy' | 'parameters'>): Policy {
  const adopted: { -readonly [K in keyof Policy]: Policy[K] } = { ...SEED_V1, id: policy }
  const trusted: NodeId[] = []
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith(TRUST)) {
      const id = name.slice(TRUST.length)
      if (isNodeId(id) && value !== 0) trusted.push(id)
    } else if (Object.hasOwn(PARAMETERS, name)) {
      const parameter = name as ParameterName
      const [min, max] = PARAMETERS[parameter]
      if (Number.isSafeInteger(value) && value >= min && value <= max) adopted[parameter] = value
    }
  }
  adopted.trusted = trusted.sort()
  return adopted
}

/** The event's form of a policy; `policyOf` gives the policy back. */
export function parametersOf(policy: Policy): Record<string, number> {
  const parameters: Record<string, number> = {}
  for (const name of Object.keys(PARAMETERS) as ParameterName[]) parameters[name] = policy[name]
  for (const id of policy.trusted) parameters[TRUST + id] = 1
  return parameters
}
