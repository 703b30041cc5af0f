import type { RebuildResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { rebuildLine } from '../../render/progress-bar.ts'
import { rebuildText } from '../../render/search.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachNode } from '../../services/reach.ts'

/** Name of the projection that is the index. */
const KEYWORD_INDEX = 'keyword-index'

export default class IndexRebuild extends BaseCommand {
  static override summary = 'Build the keyword index again from the log.'
  static override description =
    'The node goes on answering meanwhile. Shows progress, rate and time left, and the digest of the index before and after: they are equal when nothing was wrong.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./i1 --json']

  async run(): Promise<RebuildResult> {
    const { flags } = await this.parse(IndexRebuild)
    const { node } = await reachNode(flags.data, 'index')
    const line = new ProgressLine()
    const work = node.rebuild({ projections: [KEYWORD_INDEX] })
    const result = await withProgress(work, (progress) => {
      if (!this.jsonEnabled()) line.show((columns) => rebuildLine(progress, columns))
    })
    line.end()
    this.log(rebuildText(result))
    return result
  }
}
