import { Flags } from '@oclif/core'
import type { ScoreRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { scoreTable } from '../../render/reputation.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationList extends BaseCommand {
  static override summary = 'Show what this node thinks of its peers.'
  static override description = 'Scores and standings, each with its main reason, computed from the events in the log.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --banned --json']
  static override flags = { banned: Flags.boolean({ default: false, summary: 'Only those that are banned.' }) }

  async run(): Promise<{ scores: ScoreRow[] }> {
    const { flags } = await this.parse(ReputationList)
    await using log = await reachLog(flags.data)
    const all = await log.queries.scores()
    const scores = flags.banned ? all.filter((row) => row.standing === 'banned') : all
    this.log(flags.banned && scores.length === 0 ? 'nobody is banned' : scoreTable(scores))
    return { scores }
  }
}
