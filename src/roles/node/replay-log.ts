import { isNodeId, type NodeId, type PeerId } from '../../events/index.ts'
import { isRevoked } from '../../projections/index.ts'
import {
  type IsRevoked,
  judge,
  policyOf,
  REPUTATION_KINDS,
  ReputationReplayer,
  reputationProjection,
} from '../../projections/reputation/index.ts'
import { digestRows } from '../../projections/sha256.ts'
import { type ReplayRequest, type ReplayResult, type ScoreRow, ServiceError, type Standing } from '../services.ts'
import type { LogQueriesParts } from './log-queries.ts'
import { scoreRow } from './score-rows.ts'
import { type WalkOptions, walkLog } from './walk-log.ts'

/**
 * Reputation again from the log, beside the live one as it stands now.
 * @throws ServiceError `usage` if `without` is no node id
 */
export function prepareReplay(
  { log, states, newSha256 }: Pick<LogQueriesParts, 'log' | 'states' | 'newSha256'>,
  { without, until, policy }: ReplayRequest,
): { head: number; run(options: WalkOptions): Promise<ReplayResult> } {
  if (without !== undefined && !isNodeId(without)) {
    throw new ServiceError('usage', `--without takes a whole node id (64 hex digits), not ${without}`)
  }
  // All of one moment: what comes later is in neither side.
  const head = states.applied
  const live = states.state('reputation')
  const admissions = states.state('admissions')
  const isPutOut: IsRevoked = (node) => isRevoked(admissions, node)
  const liveStanding = new Map(
    [...live.subjects.keys()].map((peer) => [peer, judge(live, peer, { isRevoked: isPutOut }).standing]),
  )
  const liveDigest = states.digest('reputation')
  const replayer = new ReputationReplayer({
    own: log.author,
    isRevoked: isPutOut,
    ...(policy === undefined ? {} : { policy: policyOf({ policy: policy.id, parameters: policy.parameters }) }),
    ...(without === undefined ? {} : { without: without as NodeId }),
    ...(until === undefined ? {} : { until }),
  })

  const run = async (options: WalkOptions): Promise<ReplayResult> => {
    const startedAt = performance.now()
    // The whole fold once more from the first event, for the digest that must equal the live one.
    const projection = reputationProjection(log.author)
    let state = projection.initial()
    let events = 0
    await walkLog(
      log,
      { to: head, kinds: REPUTATION_KINDS },
      (envelope) => {
        state = projection.apply(state, envelope)
        if (replayer.take(envelope)) events += 1
        return true
      },
      options,
    )
    const { scores, changed } = await compared(replayer, liveStanding, isPutOut, options)
    return {
      policy: replayer.ledger.policy.id,
      events,
      elapsedMs: Math.round(performance.now() - startedAt),
      scores,
      changed,
      liveDigest,
      replayedDigest: digestRows(projection.rows(state), newSha256),
    }
  }
  return { head, run }
}

async function compared(
  { ledger }: ReputationReplayer,
  liveStanding: ReadonlyMap<PeerId, Standing>,
  isPutOut: IsRevoked,
  { turns, signal }: WalkOptions,
): Promise<Pick<ReplayResult, 'scores' | 'changed'>> {
  const scores: ScoreRow[] = []
  const changed: ReplayResult['changed'] = []
  for (const peer of [...ledger.subjects.keys()].sort()) {
    const row = scoreRow(ledger, peer, isPutOut)
    scores.push(row)
    const was = liveStanding.get(peer) ?? 'good'
    if (was !== row.standing) changed.push({ peer, live: was, replayed: row.standing })
    if (turns.isOver) {
      await turns.next()
      signal?.throwIfAborted()
    }
  }
  return { scores, changed }
}
