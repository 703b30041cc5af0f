import type { LogView, PeerId } from '../../events/index.ts'
import { Bisector, type IsRevoked, type Ledger, REPUTATION_KINDS, VerdictTable } from '../../projections/reputation/index.ts'
import { type BisectResult, LIFTING_TOLD_MAX, ServiceError } from '../services.ts'
import { eventRow } from './event-rows.ts'
import { inTurns } from './in-turns.ts'
import { relevantEvents } from './relevant-events.ts'
import { type WalkOptions, walkLog } from './walk-log.ts'

/**
 * The event that tipped a peer, and those without which it would stand, up to and with place `to`.
 * @throws ServiceError `failed` if more events bear on it than are looked at
 */
export async function bisectLog(
  log: LogView,
  { ledger, isRevoked }: { ledger: Ledger; isRevoked: IsRevoked },
  { peer, to }: { peer: PeerId; to: number },
  options: WalkOptions,
): Promise<BisectResult> {
  const isRelevant = relevantEvents(ledger, peer)
  const table = new VerdictTable()
  let isWhole = true
  await walkLog(
    log,
    { to, kinds: REPUTATION_KINDS },
    (envelope) => {
      if (isRelevant(envelope)) isWhole = table.add(envelope)
      return isWhole
    },
    options,
  )
  if (!isWhole) throw new ServiceError('failed', `more than ${table.size} events bear on the score of ${peer}: too many to try`)
  const { standing, tipping, lifting, claim } = await inTurns(
    new Bisector(table, peer, { own: log.author, isRevoked }).steps(),
    options,
  )
  const told = { peer, standing, claim, lifting: lifting.slice(0, LIFTING_TOLD_MAX), liftingCount: lifting.length }
  if (tipping === undefined) return { ...told, tipping: null }
  const { seq, rule, before, after } = tipping
  for await (const envelope of log.read({ from: seq, to: seq }))
    return { ...told, tipping: { event: eventRow(envelope), rule, before, after } }
  return { ...told, tipping: null }
}
