import { isNodeId, type NodeId, type PeerId } from '../../events/index.ts'
import { isRevoked } from '../../projections/index.ts'
import {
  type IsRevoked,
  judge,
  policyOf,
  REPUTATION_KINDS,
  ReputationReplayer,
  reputationProjection,
  summary,
} from '../../projections/reputation/index.ts'
import { digestRows } from '../../projections/sha256.ts'
import { type ReplayRequest, type ReplayResult, type ScoreRow, ServiceError, type Standing } from '../services.ts'
import type { LogQueriesParts } from './log-queries.ts'
import { scoreRow } from './score-rows.ts'
import { type WalkOptions, walkLog } from './walk-log.ts'

/**
 * Reputation again from the log, beside the live one as it stands now.
 * @throws ServiceError `usage` if `without` or `as` is no node id, or an event is not in the log
 */
export function prepareReplay(
  { log, states, newSha256 }: Pick<LogQueriesParts, 'log' | 'states' | 'newSha256'>,
  { without = [], withoutEvents = [], until, as, policy }: ReplayRequest,
): { head: number; run(options: WalkOptions): Promise<ReplayResult> } {
  const nodes = without.map((id) => nodeNamed(id, '--without'))
  const own = as === undefined ? log.author : nodeNamed(as, '--as')
  // All of one moment: what comes later is in neither side.
  const head = states.applied
  const beyond = withoutEvents.find((seq) => seq < 1 || seq > head)
  if (beyond !== undefined) throw new ServiceError('usage', `the log has events 1 to ${head}, not ${beyond}`)
  const live = states.state('reputation')
  const admissions = states.state('admissions')
  const isPutOut: IsRevoked = (node) => isRevoked(admissions, node)
  const liveStanding = new Map(
    [...live.subjects.keys()].map((peer): [PeerId, Stood] => {
      const judgement = judge(live, peer, { isRevoked: isPutOut })
      return [peer, { standing: judgement.standing, because: summary(judgement) }]
    }),
  )
  const liveDigest = states.digest('reputation')
  const replayer = new ReputationReplayer({
    own,
    isRevoked: isPutOut,
    ...(policy === undefined ? {} : { policy: policyOf({ policy: policy.id, parameters: policy.parameters }) }),
    without: new Set(nodes),
    except: new Set(withoutEvents),
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
      as: own,
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
  liveStanding: ReadonlyMap<PeerId, Stood>,
  isPutOut: IsRevoked,
  { turns, signal }: WalkOptions,
): Promise<Pick<ReplayResult, 'scores' | 'changed'>> {
  const scores: ScoreRow[] = []
  const changed: ReplayResult['changed'] = []
  for (const peer of [...ledger.subjects.keys()].sort()) {
    const row = scoreRow(ledger, peer, isPutOut)
    scores.push(row)
    const was = liveStanding.get(peer) ?? UNKNOWN
    if (was.standing !== row.standing) {
      const before = { live: was.standing, liveBecause: was.because }
      changed.push({ peer, ...before, replayed: row.standing, replayedBecause: row.because })
    }
    if (turns.isOver) {
      await turns.next()
      signal?.throwIfAborted()
    }
  }
  // Of whom nothing is left: it stands as anybody does.
  for (const [peer, { standing, because }] of liveStanding) {
    if (standing === 'good' || ledger.subjects.has(peer)) continue
    const now = { replayed: UNKNOWN.standing, replayedBecause: UNKNOWN.because }
    changed.push({ peer, live: standing, liveBecause: because, ...now })
  }
  return { scores, changed }
}

type Stood = { readonly standing: Standing; readonly because: string }
const UNKNOWN: Stood = { standing: 'good', because: 'nothing is known of it' }

function nodeNamed(id: string, flag: string): NodeId {
  if (isNodeId(id)) return id
  throw new ServiceError('usage', `${flag} takes a whole node id (64 hex digits), not ${id}`)
}
