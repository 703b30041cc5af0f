import { resolve } from 'node:path'
import { Args } from '@oclif/core'
import type { DiffResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { diffText } from '../../render/reputation.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationDiff extends BaseCommand {
  static override summary = 'Say why another node thinks otherwise of peers.'
  static override description =
    'Takes a bundle of the other node, which its operator makes with `log export --format bundle`, and names the peers that stand otherwise there, and the events that one of the two lacks or weighs otherwise. Signatures of events that are not held here are checked.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c2.bundle',
    '<%= config.bin %> <%= command.id %> c2.bundle --json',
  ]
  static override args = { bundle: Args.string({ required: true, description: 'What `log export --format bundle` wrote.' }) }

  async run(): Promise<DiffResult> {
    const { args, flags } = await this.parse(ReputationDiff)
    await using log = await reachLog(flags.data)
    const line = new ProgressLine()
    const result = await withProgress(log.queries.diff({ file: resolve(args.bundle) }), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    this.log(diffText(result))
    return result
  }
}
