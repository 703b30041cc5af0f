import { SEED_V1 } from '../src/projections/reputation/index.ts'
import { piecesToBan } from '../src/projections/reputation/policy-consequences.ts'
import type { Bench, Target } from './harness.ts'
import { ATTACKS, type Attack } from './reputation-attacks.ts'
import { measureLog } from './reputation-log.ts'
import { POLICIES } from './reputation-policies.ts'
import { type Row, writeReport } from './reputation-report.ts'
import { Trial } from './reputation-trial.ts'

// The trial: attacks beside policies, by the code that judges in a node, in simulated networks. All of it follows from its seeds,
// but for the times. It writes docs/reputation.md and its plots, unless --only takes a part of it.

/** Most that pieces until a ban may be, by share of bad pieces: what the plain sum takes. */
const PIECES_MAX: readonly (readonly [share: number, pieces: number])[] = [
  [1, 21],
  [0.5, 49],
  [0.3, 121],
  [0.2, 437],
]
const [SMALL, LARGE] = [100, 1000] as const
/** Whom everybody is warned of, and who is slandered: worth comparing with the ancestor in a large network too. */
const isAboutLiars = ({ slanderers }: Attack): boolean => slanderers > 0

const bench: Bench = async ({ full, only, note, report }) => {
  const seeds = { [SMALL]: full ? [1, 2, 3, 4, 5] : [1], [LARGE]: full ? [1, 2] : [1] }
  note(
    `seeds ${seeds[SMALL]?.join(', ')} for ${SMALL} peers, ${seeds[LARGE]?.join(', ')} for ${LARGE}; --only takes the name of an attack, or log`,
  )
  for (const [share, most] of PIECES_MAX)
    report({
      ...{
        name: `pieces until seed-v1 bans at ${share * 100} % bad`,
        value: piecesToBan(SEED_V1, share) ?? Number.POSITIVE_INFINITY,
      },
      ...{ unit: 'pieces', target: { atMost: most } },
    })
  if (only === undefined || only === 'log') await measureLog(full ? 1_000_000 : 100_000, { note, report })
  const rows: Row[] = []
  for (const peers of [SMALL, LARGE])
    for (const attack of ATTACKS.filter(({ name }) => only === undefined || name === only))
      for (const policy of POLICIES) {
        const isWanted = full || peers === SMALL || policy === SEED_V1 || (policy.id === 'ancestor' && isAboutLiars(attack))
        if (!isWanted) continue
        const outcomes = (seeds[peers] ?? []).map((seed) => new Trial(attack, policy, peers, seed).run())
        const row = { attack: attack.name, policy: policy.id, peers, outcomes }
        rows.push(row)
        tell(row, attack, report)
        // One that asks what goes on is answered between two runs.
        await new Promise((resolve) => setImmediate(resolve))
      }
  if (only === undefined) await writeReport(rows, seeds)
}

function tell({ attack: name, policy, peers, outcomes }: Row, attack: Attack, report: Parameters<Bench>[0]['report']): void {
  const isDefault = policy === SEED_V1.id
  const sum = (of: (outcome: Row['outcomes'][number]) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const finding = (what: string, value: number, unit: string, target?: Target) =>
    report({
      name: `${what}: ${name}, ${policy}, ${peers} peers`,
      value,
      unit,
      ...(isDefault && target !== undefined ? { target } : {}),
    })
  finding(
    'honest banned',
    sum(({ honestBanned }) => honestBanned),
    'peers',
    { atMost: 0 },
  )
  const met = sum(({ corruptersMet }) => corruptersMet)
  // Who changes its key in time is never met long enough.
  if (met > 0)
    finding(
      'corrupters banned',
      (100 * sum(({ corruptersBanned }) => corruptersBanned)) / met,
      '%',
      attack.whitewashBelow > 0 ? undefined : { atLeast: 99 },
    )
  finding('bad pieces accepted by a node', sum(({ badPieces }) => badPieces) / outcomes.length, 'pieces')
  finding('agreement', (100 * sum(({ agreement }) => agreement)) / outcomes.length, '%')
  finding('replay of a million verdicts', sum(({ foldMs }) => foldMs) / 1000 / (sum(({ events }) => events) / 1e6), 's')
}

export default bench
