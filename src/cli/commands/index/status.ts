import { Flags } from '@oclif/core'
import type { IndexStatus } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { indexStatusText } from '../../render/search.ts'
import { reachNode } from '../../services/reach.ts'

export default class IndexStatusCommand extends BaseCommand {
  static override summary = "Show the index node's share of the keyword index."
  static override description = 'How much it holds, which partitions it owns, and whether it has what its fellow owners have.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --partitions --json']
  static override flags = { partitions: Flags.boolean({ default: false, summary: 'List each partition with its owners.' }) }

  async run(): Promise<IndexStatus> {
    const { flags } = await this.parse(IndexStatusCommand)
    const { index } = await reachNode(flags.data, 'index')
    const status = await index.indexStatus({ partitions: flags.partitions })
    this.log(indexStatusText(status))
    return status
  }
}
