import { Args } from '@oclif/core'
import type { SearchResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { searchText } from '../../render/search.ts'
import { hitsFlag } from '../../services/hits-flag.ts'
import { queryText } from '../../services/query-text.ts'
import { reachNode } from '../../services/reach.ts'

export default class IndexSearch extends BaseCommand {
  static override summary = 'Search what this index node itself holds.'
  static override description = 'Asks no other node, so it finds only what falls into the partitions of this one.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> songs of the sea',
    '<%= config.bin %> <%= command.id %> debian --json',
  ]
  static override strict = false
  static override args = { words: Args.string({ required: true, description: 'What to look for.' }) }
  static override flags = {
    limit: hitsFlag,
  }

  async run(): Promise<SearchResult> {
    const { argv, flags } = await this.parse(IndexSearch)
    const { index } = await reachNode(flags.data, 'index')
    const result = await index.searchHere({ text: queryText(argv as string[]), limit: flags.limit })
    this.log(searchText(result))
    return result
  }
}
