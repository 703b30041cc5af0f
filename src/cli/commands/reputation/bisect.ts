import { Args } from '@oclif/core'
import type { BisectResult, LogPlace } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { bisectionText } from '../../render/reputation.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationBisect extends BaseCommand {
  static override summary = 'Name the event that tipped a banned peer, and those without which it would stand.'
  static override description =
    'The set of events is said to be the smallest only where no smaller one would do: where the sum of points alone bans, or one event is enough. Elsewhere none of it can be left out, though a set of other events may be smaller. docs/reputation.md says how it is found.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f9a0c71',
    '<%= config.bin %> <%= command.id %> 3f9a0c71 --json',
  ]
  static override args = { peer: Args.string({ required: true, description: 'A node id or the start of it, or ip:ADDRESS.' }) }
  static override flags = { ...atFlag }

  async run(): Promise<BisectResult & { asOf?: LogPlace }> {
    const { args, flags } = await this.parse(ReputationBisect)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    const line = new ProgressLine()
    const work = log.queries.bisect(await wholePeer(log.queries, args.peer), asOf(place))
    const result = await withProgress(work, ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    if (place !== undefined) this.log(placeLine(place))
    this.log(bisectionText(result))
    return { ...result, ...(place && { asOf: place }) }
  }
}
