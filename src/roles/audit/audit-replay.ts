import type { Envelope, NodeId, PeerId } from '../../events/index.ts'
import { type AdmissionsState, isRevoked } from '../../projections/index.ts'
import {
  Explainer,
  type Explanation,
  type Policy,
  type ReputationState,
  reputationProjection,
} from '../../projections/reputation/index.ts'
import { digestRows, type NewSha256 } from '../../projections/sha256.ts'
import type { AuditVerdict } from './audit-bundle.ts'

export type AuditReplay = {
  readonly policy: Policy
  readonly digest: string
  readonly verdicts: readonly AuditVerdict[]
  readonly explanations: readonly Explanation[]
}

/** What the events of a bundle come to: the same wherever it is done. */
export function replayAudit(
  envelopes: readonly Envelope[],
  {
    own,
    peers,
    admissions,
    newSha256,
  }: { own: NodeId; peers: readonly PeerId[]; admissions: AdmissionsState; newSha256: NewSha256 },
): AuditReplay {
  const projection = reputationProjection(own)
  const isPutOut = (node: NodeId): boolean => isRevoked(admissions, node)
  const explainers = peers.map((peer) => new Explainer(peer, { own, isRevoked: isPutOut }))
  let state = projection.initial()
  for (const envelope of envelopes) {
    state = projection.apply(state, envelope)
    for (const explainer of explainers) explainer.take(envelope)
  }
  const explanations = explainers.map(({ explanation }) => explanation)
  return {
    policy: state.policy,
    digest: digestRows(rowsAbout(projection.rows(state), state, peers), newSha256),
    explanations,
    verdicts: explanations.map(({ peer, judgement: { score, standing }, decisive }) => ({ peer, score, standing, decisive })),
  }
}

/** The rows of reputation from which the standing of these peers follows. */
export function* rowsAbout(
  rows: Iterable<readonly [string, string]>,
  { subjects }: Pick<ReputationState, 'subjects'>,
  peers: readonly PeerId[],
): Generator<readonly [string, string], void, void> {
  const wanted = new Set<string>(['policy'])
  for (const peer of peers) {
    wanted.add(`s/${peer}`)
    for (const reporter of subjects.get(peer)?.reports.keys() ?? []) {
      wanted.add(`g/${peer}/${reporter}`)
      wanted.add(`r/${reporter}`)
    }
  }
  for (const row of rows) if (wanted.has(row[0])) yield row
}
