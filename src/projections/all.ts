import type { NodeId } from '../events/index.ts'
import { type DownloadsState, downloadsProjection } from './downloads/index.ts'
import { type KeywordIndexState, keywordIndexProjection } from './keyword-index/index.ts'
import { type LivenessState, livenessProjection } from './liveness/index.ts'
import { type ReputationState, reputationProjection } from './reputation/index.ts'
import type { ProjectionsOf } from './runner.ts'

/** The state of each projection by its name. */
export type ProjectionStates = {
  liveness: LivenessState
  reputation: ReputationState
  'keyword-index': KeywordIndexState
  downloads: DownloadsState
}

/** Every projection of node `own`, for the runner. */
export const allProjections = (own: NodeId): ProjectionsOf<ProjectionStates> => ({
  liveness: livenessProjection(own),
  reputation: reputationProjection(own),
  'keyword-index': keywordIndexProjection(),
  downloads: downloadsProjection(own),
})
