import type { RebuildResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { rebuildText } from '../../render/search.ts'
import { rebuildProjections } from '../../services/rebuild.ts'

/** Name of the projection that is the index. */
const KEYWORD_INDEX = 'keyword-index'

export default class IndexRebuild extends BaseCommand {
  static override summary = 'Build the keyword index again from the log.'
  static override description =
    'Short for `node rebuild keyword-index`. The node goes on answering meanwhile; a stopped one finds the result at its next start. Shows progress, rate and time left, and the digest of the index before and after: they are equal when nothing was wrong.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./i1 --json']

  async run(): Promise<RebuildResult> {
    const { flags } = await this.parse(IndexRebuild)
    const result = await rebuildProjections({
      data: flags.data,
      role: 'index',
      names: [KEYWORD_INDEX],
      quiet: this.jsonEnabled(),
    })
    this.log(rebuildText(result))
    return result
  }
}
