import type { LogStats } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { logStatsText } from '../../render/events.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogStatsCommand extends BaseCommand {
  static override summary = 'Show how many events of which kind the log has.'
  static override description = 'Counts, sizes and authors, of a running node or of a stopped one.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./c1 --json']

  async run(): Promise<LogStats> {
    const { flags } = await this.parse(LogStatsCommand)
    await using log = await reachLog(flags.data)
    const stats = await log.queries.stats()
    this.log(logStatsText(stats))
    return stats
  }
}
