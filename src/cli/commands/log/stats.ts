import type { LogStats } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { logStatsText } from '../../render/events.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogStatsCommand extends BaseCommand {
  static override summary = 'Show how many events of which kind the log has.'
  static override description = 'Counts, sizes and authors, of a running node or of a stopped one.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./c1 --json']

  async run(): Promise<LogStats> {
    const { flags } = await this.parse(LogStatsCommand)
    await using log = await reachLog(flags.data)
    const line = new ProgressLine()
    const stats = await withProgress(log.queries.stats(), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    this.log(logStatsText(stats))
    return stats
  }
}
