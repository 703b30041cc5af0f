import { Flags } from '@oclif/core'
import type { AsOf, HindsightRow, LogPlace, LogQueries, ScoreRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { hindsightText, scoreTable } from '../../render/reputation.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationList extends BaseCommand {
  static override summary = 'Show what this node thinks of its peers.'
  static override description =
    'Scores and standings, each with its main reason, computed from the events in the log as they came; and who would stand otherwise now, in causal order, and by which event. That part reads all verdicts again: --quick leaves it out.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --banned --json',
    '<%= config.bin %> <%= command.id %> --at 500',
  ]
  static override flags = {
    ...atFlag,
    banned: Flags.boolean({ default: false, summary: 'Only those that are banned.' }),
    quick: Flags.boolean({ default: false, summary: 'Do not look who would stand otherwise in causal order.' }),
  }

  async run(): Promise<{ scores: ScoreRow[]; now: HindsightRow[] | null; asOf?: LogPlace }> {
    const { flags } = await this.parse(ReputationList)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    const all = await log.queries.scores(asOf(place))
    const scores = flags.banned ? all.filter((row) => row.standing === 'banned') : all
    if (place !== undefined) this.log(placeLine(place))
    this.log(flags.banned && scores.length === 0 ? 'nobody is banned' : scoreTable(scores))
    const now = flags.quick ? null : await this.#hindsight(log.queries, asOf(place))
    for (const row of now ?? [])
      this.log(`\n${hindsightText(row, all.find(({ peer }) => peer === row.peer)?.standing ?? 'good')}`)
    return { scores, now, ...(place && { asOf: place }) }
  }

  /** @returns null where there are too many verdicts for it */
  async #hindsight(queries: LogQueries, at: AsOf): Promise<HindsightRow[] | null> {
    const line = new ProgressLine()
    const { compared, rows } = await withProgress(queries.hindsight(at), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    if (!compared)
      this.log('\ntoo many verdicts to say who would stand otherwise in causal order: `reputation explain PEER` says it of one')
    return compared ? rows : null
  }
}
