import { Flags } from '@oclif/core'
import type { LogPlace, ScoreRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { scoreTable } from '../../render/reputation.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationList extends BaseCommand {
  static override summary = 'Show what this node thinks of its peers.'
  static override description = 'Scores and standings, each with its main reason, computed from the events in the log.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --banned --json',
    '<%= config.bin %> <%= command.id %> --at 500',
  ]
  static override flags = { ...atFlag, banned: Flags.boolean({ default: false, summary: 'Only those that are banned.' }) }

  async run(): Promise<{ scores: ScoreRow[]; asOf?: LogPlace }> {
    const { flags } = await this.parse(ReputationList)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    const all = await log.queries.scores(asOf(place))
    const scores = flags.banned ? all.filter((row) => row.standing === 'banned') : all
    if (place !== undefined) this.log(placeLine(place))
    this.log(flags.banned && scores.length === 0 ? 'nobody is banned' : scoreTable(scores))
    return { scores, ...(place && { asOf: place }) }
  }
}
