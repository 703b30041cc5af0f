import { Flags } from '@oclif/core'
import type { LogStats } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { logStatsText } from '../../render/events.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogStatsCommand extends BaseCommand {
  static override summary = 'Show how many events the log has, its size and its growth.'
  static override description =
    'Of a running node or of a stopped one. No event is read for it, however long the log is, unless --kinds asks for what only the events tell: how many of which kind there are, how large they are, and when the first and the last were made.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --kinds --json']
  static override flags = {
    kinds: Flags.boolean({ default: false, summary: 'Read every event, and count by kind, too (slower).' }),
  }

  async run(): Promise<LogStats> {
    const { flags } = await this.parse(LogStatsCommand)
    await using log = await reachLog(flags.data)
    const line = new ProgressLine()
    const stats = await withProgress(log.queries.stats({ read: flags.kinds }), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    this.log(logStatsText(stats))
    return stats
  }
}
