import { dirname } from 'node:path'

/** What became of one mutant; `types` and `time` are ways to be killed. */
export type Fate = 'killed' | 'types' | 'time' | 'survived' | 'stale'

export type Result = {
  readonly by: 'subtle' | 'stryker'
  readonly file: string
  readonly line: number
  /** What goes wrong, or what Stryker did. */
  readonly breaks: string
  readonly fate: Fate
  readonly lives?: string | undefined
}

/** Shares below which the run fails. */
export const SHARE_MIN = { subtle: 0.8, stryker: 0.85 } as const

export const isKilled = ({ fate }: Pick<Result, 'fate'>): boolean => fate !== 'survived' && fate !== 'stale'

/** Killed of all, from 0 to 1; 1 where there are none. */
export function share(results: readonly Result[]): number {
  return results.length === 0 ? 1 : results.filter(isKilled).length / results.length
}

/** Why a run fails, as sentences; none if it passes. */
export function failures(results: readonly Result[]): string[] {
  const reasons: string[] = []
  for (const by of ['subtle', 'stryker'] as const) {
    const killed = share(results.filter((result) => result.by === by))
    const min = SHARE_MIN[by]
    if (killed < min) reasons.push(`${by}: ${(killed * 100).toFixed(1)} % killed, ${min * 100} % wanted`)
  }
  const stale = results.filter(({ fate }) => fate === 'stale').length
  if (stale > 0) reasons.push(`${stale} stale: their text does not stand in the file exactly once`)
  return reasons
}

type Row = { folder: string; mutants: number; killed: number; survived: number }

function rowsOf(results: readonly Result[]): Row[] {
  const rows = new Map<string, Row>()
  for (const result of results) {
    const folder = dirname(result.file)
    const row = rows.get(folder) ?? { folder, mutants: 0, killed: 0, survived: 0 }
    row.mutants++
    if (isKilled(result)) row.killed++
    else row.survived++
    rows.set(folder, row)
  }
  return [...rows.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1))
}

/** The table by folder and the list of survivors, as Markdown. */
export function report(results: readonly Result[]): string {
  const lines: string[] = []
  for (const by of ['subtle', 'stryker'] as const) {
    const ours = results.filter((result) => result.by === by)
    if (ours.length === 0) continue
    const killed = ours.filter(isKilled).length
    lines.push(`${by}: ${killed} of ${ours.length} killed (${(share(ours) * 100).toFixed(1)} %)`, '')
    lines.push('| folder | mutants | killed | survived |', '|---|---:|---:|---:|')
    for (const row of rowsOf(ours)) lines.push(`| ${row.folder} | ${row.mutants} | ${row.killed} | ${row.survived} |`)
    lines.push('')
    for (const result of ours) {
      if (isKilled(result)) continue
      const why = result.fate === 'stale' ? ' (STALE)' : result.lives === undefined ? '' : ` (may live: ${result.lives})`
      lines.push(`- ${result.file}:${result.line} ${result.breaks}${why}`)
    }
    lines.push('')
  }
  return lines.join('\n')
}
