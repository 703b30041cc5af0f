// reputation: evidence as counters (ledger.ts, fold.ts), judgement as one pure function (judge.ts, policy.ts), and why
// (explain.ts). Imports events only.
export * from './explain.ts'
export { HEARSAY_BOUNDS, type HearsayBounds } from './hearsay.ts'
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
export { type Policy, parametersOf, policyOf, SEED_V1 } from './policy.ts'
export * from './replay-reputation.ts'
export { REPUTATION_KINDS, type ReputationState, reputationProjection } from './reputation.ts'
