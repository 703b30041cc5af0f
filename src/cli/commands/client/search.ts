import { Args, Flags } from '@oclif/core'
import { ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { explainedText, searchText } from '../../render/search.ts'
import { download, downloadFlags } from '../../services/download-command.ts'
import { hitsFlag } from '../../services/hits-flag.ts'
import { queryText } from '../../services/query-text.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientSearch extends BaseCommand {
  static override summary = 'Search the index of the network.'
  static override description =
    'Finds torrents whose title has all the words, or whose info hash it is. "a phrase", this | that, begin*; tag:NAME, category:movie, size:>1GB, size:1GB..2GB and seeders:>5 filter; - or ! before any of them leaves out (- after -- alone). docs/search.md has the whole language. --get N downloads the Nth hit.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> songs of the sea',
    '<%= config.bin %> <%= command.id %> debian netinst --get 1',
    '<%= config.bin %> <%= command.id %> debian tag:iso --limit 5 --json',
    '<%= config.bin %> <%= command.id %> -- alpine "size:>1 GB" -tag:video',
    '<%= config.bin %> <%= command.id %> debian --explain',
  ]
  static override strict = false
  static override args = { words: Args.string({ required: true, description: 'What to look for.' }) }
  static override flags = {
    ...downloadFlags,
    get: Flags.integer({ min: 1, summary: 'Download this hit.', helpValue: 'N' }),
    limit: hitsFlag,
    explain: Flags.boolean({ default: false, summary: 'Say of each word who was asked, and what came of it.' }),
    cursor: Flags.string({
      summary: 'Go on after an earlier answer to the same words (its "cursor" with --json).',
      helpValue: 'TEXT',
    }),
  }

  async run(): Promise<object | undefined> {
    const { argv, flags } = await this.parse(ClientSearch)
    const node = await reachNode(flags.data, 'client')
    const cursor = flags.cursor === undefined ? {} : { cursor: flags.cursor }
    const result = await node.client.search({ text: queryText(argv as string[]), limit: flags.limit, ...cursor })
    if (flags.get === undefined) {
      this.log(searchText(result))
      if (flags.explain) this.log(`\n${explainedText(result)}`)
      return result
    }
    const hit = result.hits[flags.get - 1]
    if (hit === undefined)
      throw new ServiceError('failed', `there is no hit ${flags.get}: the search found ${result.hits.length}`)
    return download(node, { magnet: hit.magnet }, flags, { json: this.jsonEnabled(), interactive: this.interactive })
  }
}
