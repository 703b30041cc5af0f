import type { NodeId, VerifySignature } from '../events/index.ts'
import { type AdmissionsState, admissionsProjection, partyOf } from './admissions/index.ts'
import type { DiskProjection } from './disk-projection.ts'
import { type DownloadsState, downloadsProjection } from './downloads/index.ts'
import { type KeptState, keptProjection } from './kept/index.ts'
import { type KeywordIndexState, keywordIndexProjection, type Sha256Of } from './keyword-index/index.ts'
import { type LivenessState, livenessProjection } from './liveness/index.ts'
import type { Projection } from './projection.ts'
import { type ReputationState, reputationProjection } from './reputation/index.ts'

/** The state of each projection by its name. */
export type ProjectionStates = {
  admissions: AdmissionsState
  kept: KeptState
  liveness: LivenessState
  reputation: ReputationState
  'keyword-index': KeywordIndexState
  downloads: DownloadsState
}

/**
 * What the events of a network are held against: its owner's key, and signatures made in it. `isOpen`: clients need no
 * invitation. `sha256` is what digests on disk are made with.
 */
export type NetworkKeys = {
  readonly owner: NodeId
  readonly verify: VerifySignature
  readonly isOpen: boolean
  readonly sha256: Sha256Of
}

/** What is too large for memory is on disk. */
export type AllProjections = {
  readonly [K in keyof ProjectionStates]: K extends 'keyword-index'
    ? DiskProjection<ProjectionStates[K]>
    : Projection<ProjectionStates[K]>
}

/** Every projection of node `own`, for the runner. */
export const allProjections = (own: NodeId, { owner, verify, isOpen, sha256 }: NetworkKeys): AllProjections => ({
  admissions: admissionsProjection(owner, verify),
  kept: keptProjection(own),
  liveness: livenessProjection(own),
  reputation: reputationProjection(own),
  'keyword-index': keywordIndexProjection(sha256, {
    partyOf: (stateOf) => (author) => partyOf(stateOf('admissions') as AdmissionsState, author, isOpen),
  }),
  downloads: downloadsProjection(own),
})
