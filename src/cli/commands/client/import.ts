import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { leftOutTexts } from '../../render/bulk.ts'
import { bulkCommand } from '../../services/bulk-command.ts'
import { contentsOf } from '../../services/import-folder.ts'
import { publishFlags } from '../../services/publish-flags.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientImport extends BaseCommand {
  static override summary = 'Publish each file and folder in a folder as a torrent of its own, however many there are.'
  static override description =
    'Titles are their names. Of a .torrent file what it describes is published, if all of it stands in the same folder, or where --to says. What is published already and looks as it did (path, size, times) is passed over and not hashed: run it again to go on after Ctrl-C, or to publish what is new. Links and hidden files are left out. What fails is told on stderr, holds up nothing, and ends it with exit code 1. With --json it prints a line for each, and a summary.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> ~/datasets --tag biology',
    '<%= config.bin %> <%= command.id %> ~/torrents --to /srv/files --json',
  ]
  static override args = { folder: Args.string({ required: true, description: 'The folder.' }) }
  static override flags = {
    tag: publishFlags.tag,
    to: Flags.string({
      summary: 'Where the files of .torrent files stand. Default: in the same folder.',
      helpValue: 'DIR',
    }),
    hidden: publishFlags.hidden,
    hybrid: publishFlags.hybrid,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ClientImport)
    const { hidden, hybrid, to, tag: tags = [] } = flags
    const { entries, ...leftOut } = await contentsOf(args.folder, { to, tags, hidden })
    const { client } = await reachNode(flags.data, 'client')
    await bulkCommand(client, entries, {
      ...{ hidden, hybrid, json: this.jsonEnabled(), total: entries.length, leftOut: leftOutTexts(leftOut) },
    })
  }
}
