import type { LogView, PeerId } from '../../events/index.ts'
import {
  type Hindsight,
  HindsightView,
  type IsRevoked,
  type Ledger,
  REPUTATION_KINDS,
  VerdictTable,
} from '../../projections/reputation/index.ts'
import type { HindsightResult, HindsightRow } from '../services.ts'
import { eventRow } from './event-rows.ts'
import { inTurns } from './in-turns.ts'
import { type WalkOptions, walkLog } from './walk-log.ts'

// What a node would conclude now, beside what it concluded as the events came (projections/reputation/hindsight.ts).

type Judging = { readonly ledger: Ledger; readonly isRevoked: IsRevoked }

/** Peers of which the event that makes the difference is looked for: each takes some folds of all verdicts. */
const DIFFERENCES_MAX = 20

/** Of one peer, from the events that are relevant to it. */
export async function hindsightRow(
  log: LogView,
  judging: Judging,
  table: VerdictTable,
  peer: PeerId,
  turns: WalkOptions['turns'],
): Promise<HindsightRow> {
  const view = new HindsightView(table, { own: log.author, isRevoked: judging.isRevoked })
  const now = view.isOneTime ? judging.ledger : await inTurns(view.ledger(), { turns })
  return told(log, await inTurns(view.of(peer, judging.ledger, now), { turns }))
}

/** Of all peers that would stand otherwise, up to and with place `to`; `judging` is of that place. */
export async function hindsightOf(
  log: LogView,
  { ledger, isRevoked }: Judging,
  to: number,
  options: WalkOptions,
): Promise<HindsightResult> {
  const table = new VerdictTable()
  let isWhole = true
  await walkLog(
    log,
    { to, kinds: REPUTATION_KINDS },
    (envelope) => {
      isWhole = table.add(envelope)
      return isWhole
    },
    options,
  )
  if (!isWhole) return { compared: false, rows: [] }
  const view = new HindsightView(table, { own: log.author, isRevoked })
  if (view.isOneTime) return { compared: true, rows: [] }
  const now = await inTurns(view.ledger(), options)
  const rows: HindsightRow[] = []
  for (const peer of [...new Set([...ledger.subjects.keys(), ...now.subjects.keys()])].sort()) {
    const hindsight = await inTurns(view.of(peer, ledger, now, rows.length < DIFFERENCES_MAX), options)
    if (hindsight.known.standing !== hindsight.now.standing) rows.push(await told(log, hindsight))
    if (options.turns.isOver) {
      await options.turns.next()
      options.signal?.throwIfAborted()
    }
  }
  return { compared: true, rows }
}

async function told(log: LogView, { peer, known, now, difference }: Hindsight): Promise<HindsightRow> {
  const differs = known.standing !== now.standing
  const row = { peer, score: now.score, standing: now.standing, differs, difference: null }
  if (difference === undefined) return row
  const { seq, before, after } = difference
  for await (const envelope of log.read({ from: seq, to: seq }))
    return { ...row, difference: { event: eventRow(envelope), before, after } }
  return row
}
