import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SEED_V1 } from '../src/projections/reputation/index.ts'
import { piecesToBan } from '../src/projections/reputation/policy-consequences.ts'
import { ATTACKS } from './reputation-attacks.ts'
import { barPlot, linePlot } from './reputation-plots.ts'
import { POLICIES } from './reputation-policies.ts'
import { type Outcome, PIECE_BYTES } from './reputation-trial.ts'

/** One attack under one policy, over all seeds. */
export type Row = {
  readonly attack: string
  readonly policy: string
  readonly peers: number
  readonly outcomes: readonly Outcome[]
}

export const SHARES = [1, 0.5, 0.3, 0.2, 0.15, 0.1, 0.05] as const
const [BEGIN, END] = ['<!-- trial: written by the bench -->', '<!-- end of the trial -->']
const SLANDERED = [0, 10, 20, 30, 50] as const

const sum = (row: Row, of: (outcome: Outcome) => number): number =>
  row.outcomes.reduce((total, outcome) => total + of(outcome), 0)
const mean = (row: Row, of: (outcome: Outcome) => number): number => sum(row, of) / row.outcomes.length
const megabytes = (row: Row): number => (mean(row, ({ badPieces }) => badPieces) * PIECE_BYTES) / 2 ** 20
const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`)

/** Writes the trial into docs/reputation.md, with its plots beside it. */
export async function writeReport(rows: readonly Row[], seeds: { readonly [peers: number]: readonly number[] }): Promise<void> {
  const docs = join(import.meta.dirname, '..', 'docs')
  await mkdir(join(docs, 'reputation'), { recursive: true })
  for (const [name, svg] of Object.entries(plots(rows))) await writeFile(join(docs, 'reputation', `${name}.svg`), svg)
  const file = join(docs, 'reputation.md')
  const text = await readFile(file, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < 0) throw new Error(`${file} has no place for the trial: ${BEGIN} ... ${END}`)
  await writeFile(file, `${text.slice(0, from + BEGIN.length)}\n\n${section(rows, seeds)}\n${text.slice(to)}`)
}

function section(rows: readonly Row[], seeds: { readonly [peers: number]: readonly number[] }): string {
  const parts = [piecesTable()]
  for (const [peers, of] of Object.entries(seeds)) {
    const own = rows.filter((row) => row.peers === Number(peers))
    const drawn = `${of.length === 1 ? 'seed' : 'seeds'} ${of.join(', ')}`
    parts.push(`### ${Number(peers).toLocaleString('en')} peers (${drawn})`)
    for (const [title, cell] of FIGURES) parts.push(`${title}\n\n${table(own, cell)}`)
    parts.push(replayTime(own))
  }
  parts.push('![Pieces until a ban](reputation/pieces-to-ban.svg)')
  parts.push('![Honest peers banned, by share of slanderers](reputation/honest-banned.svg)')
  parts.push('![Bad bytes accepted](reputation/bad-bytes.svg)')
  return `${parts.join('\n\n')}\n`
}

const FIGURES: readonly [string, (row: Row) => string][] = [
  [
    'Honest peers that at least one watched node bans, of all:',
    (row) => `${sum(row, ({ honestBanned }) => honestBanned)} of ${sum(row, ({ honest }) => honest)}`,
  ],
  [
    'Corrupters banned by a watched node that took enough of them (600 pieces, or as many as made the ban), and the median of pieces until then:',
    (row) => {
      const met = sum(row, ({ corruptersMet }) => corruptersMet)
      const pieces = mean(row, ({ piecesToBan }) => piecesToBan)
      return `${percent(
        sum(row, ({ corruptersBanned }) => corruptersBanned),
        met,
      )}${Number.isNaN(pieces) ? '' : `, ${Math.round(pieces)}`}`
    },
  ],
  ['Bad bytes that a watched node accepted, MB (pieces of 256 KiB):', (row) => megabytes(row).toFixed(1)],
  [
    'Pairs of watched nodes that agree whether a peer that both know is to be banned:',
    (row) =>
      percent(
        mean(row, ({ agreement }) => agreement),
        1,
      ),
  ],
]

/** Of the default policy. */
function replayTime(rows: readonly Row[]): string {
  const seconds = rows
    .filter(({ policy }) => policy === SEED_V1.id)
    .map((row) => sum(row, ({ foldMs }) => foldMs) / 1000 / (sum(row, ({ events }) => events) / 1e6))
  const [least, most] = [Math.min(...seconds).toFixed(1), Math.max(...seconds).toFixed(1)]
  return `A replay of a million verdicts under \`${SEED_V1.id}\` takes ${least} to ${most} s of a processor of the machine that wrote this.`
}

function table(rows: readonly Row[], cell: (row: Row) => string): string {
  const policies = POLICIES.map(({ id }) => id).filter((id) => rows.some((row) => row.policy === id))
  const lines = ATTACKS.map(({ name }) => {
    const cells = policies.map((policy) => {
      const row = rows.find((one) => one.attack === name && one.policy === policy)
      return row === undefined ? '' : cell(row)
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  return [
    `| attack | ${policies.map((policy) => `\`${policy}\``).join(' | ')} |`,
    `|---|${policies.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n')
}

function piecesTable(): string {
  const lines = POLICIES.map((policy) => {
    const cells = SHARES.map((share) => piecesToBan(policy, share)?.toLocaleString('en') ?? 'never')
    return `| \`${policy.id}\` | ${cells.join(' | ')} |`
  })
  const head = `| bad pieces | ${SHARES.map((share) => `${Math.round(share * 100)} %`).join(' | ')} |`
  const title = 'Pieces until a ban by own evidence alone (median of 101 runs, seeds 1 to 101; never: not in 5,000):'
  return `${title}\n\n${[head, `|---|${SHARES.map(() => '---|').join('')}`, ...lines].join('\n')}`
}

function plots(rows: readonly Row[]): Record<string, string> {
  const small = rows.filter(({ peers }) => peers === Math.min(...rows.map((row) => row.peers)))
  const of = (attack: string, policy: string): Row | undefined =>
    small.find((row) => row.attack === attack && row.policy === policy)
  const percents = SHARES.map((share) => Math.round(share * 100))
  const bannedAt = (policy: string, slanderers: number): number | undefined => {
    const row = of(slanderers === 0 ? 'corrupters 10 %' : `slanderers ${slanderers} %`, policy)
    return row && (100 * sum(row, ({ honestBanned }) => honestBanned)) / sum(row, ({ honest }) => honest)
  }
  return {
    'pieces-to-ban': linePlot(
      {
        ...{ title: 'Pieces until a ban, by share of bad pieces', x: 'bad pieces, %', y: 'pieces (median)', isLog: true },
        ...{ xTicks: [0, 20, 40, 60, 80, 100], yTicks: [10, 30, 100, 300, 1000, 3000] },
      },
      POLICIES.map((policy) => ({
        name: policy.id,
        points: SHARES.map((share, index) => [percents[index] ?? 0, piecesToBan(policy, share)] as const),
      })),
    ),
    'honest-banned': linePlot(
      {
        ...{ title: 'Honest peers banned, by share of slanderers', x: 'slanderers, %', y: 'honest peers banned, %' },
        ...{ xTicks: [...SLANDERED], yTicks: [0, 25, 50, 75, 100] },
      },
      POLICIES.map(({ id }) => ({ name: id, points: SLANDERED.map((share) => [share, bannedAt(id, share)] as const) })),
    ),
    'bad-bytes': barPlot(
      'Bad bytes that a node accepted, MB',
      'MB of bad pieces, of 256 KiB each',
      POLICIES.map(({ id }) => id),
      ATTACKS.map(({ name }) => ({
        name,
        values: POLICIES.map(({ id }) => {
          const row = of(name, id)
          return row === undefined ? 0 : megabytes(row)
        }),
      })),
    ),
  }
}
