import { Args } from '@oclif/core'
import type { RebuildResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { rebuildText } from '../../render/search.ts'
import { rebuildProjections } from '../../services/rebuild.ts'

export default class NodeRebuild extends BaseCommand {
  static override summary = 'Make projections again from the log: all of them, or those that are named.'
  static override description =
    'Liveness, reputation, keyword-index and downloads follow from the log, and can be thrown away at any time. A running node goes on answering meanwhile; of a stopped node the stored rows are made again, so that its next start finds them. Shows progress, rate and time left, and the digest of each before and after: they are equal when nothing was wrong.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> reputation liveness --data ./c1',
    '<%= config.bin %> <%= command.id %> --json',
  ]
  static override strict = false
  static override args = {
    projection: Args.string({ description: 'liveness, reputation, keyword-index or downloads; several with spaces between.' }),
  }

  async run(): Promise<RebuildResult> {
    const { argv, flags } = await this.parse(NodeRebuild)
    const names = argv.map(String)
    const result = await rebuildProjections({
      data: flags.data,
      names: names.length === 0 ? undefined : names,
      quiet: this.jsonEnabled(),
    })
    this.log(rebuildText(result))
    return result
  }
}
