// reputation: evidence as counters (ledger.ts, fold.ts), judgement as one pure function (judge.ts, policy.ts), and why
// (explain.ts). Imports events only.
export { type Bisection, type BisectOptions, Bisector, type LiftingClaim } from './bisect.ts'
export * from './explain.ts'
export { HEARSAY_BOUNDS, type HearsayBounds } from './hearsay.ts'
export { type Hindsight, type HindsightOptions, HindsightView } from './hindsight.ts'
export {
  type IsRevoked,
  type Judgement,
  type JudgeOptions,
  judge,
  type Standing,
  summary,
  type Term as ScoreTerm,
  weightOf,
} from './judge.ts'
export type { Agreement, BanRule, Ledger, Subject, Tally } from './ledger.ts'
export {
  ANCESTOR,
  LOCAL_ONLY,
  PARAMETERS,
  type ParameterName,
  type Policy,
  parametersOf,
  policyOf,
  SEED_V1,
  SHIPPED_POLICIES,
} from './policy.ts'
export { policyConsequences } from './policy-consequences.ts'
export { POLICY_FILE_LENGTH_MAX, PolicyFileError, policyFileText, readPolicyFile } from './policy-file.ts'
export * from './replay-reputation.ts'
export { REPUTATION_KINDS, type ReputationState, reputationProjection } from './reputation.ts'
export { finish, type Steps } from './steps.ts'
export { TABLE_ROWS_MAX, VerdictTable } from './verdict-table.ts'
