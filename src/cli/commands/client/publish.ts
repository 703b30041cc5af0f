import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { PublishResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { publishText } from '../../render/torrents.ts'
import { publishPaths } from '../../services/publish.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientPublish extends BaseCommand {
  static override summary = 'Make a torrent of a file or folder, seed it, and put it into the index.'
  static override description =
    'Each PATH becomes a torrent of its own. A .torrent file is published as the torrent that it describes, if its files are here: among the torrents of this client, or where --to says. Symbolic links in a folder are never followed, since they may lead anywhere; they, hidden files, and pipes, sockets and devices are left out and told. What belongs to a data directory of p2pt is refused. Index nodes that cannot be reached get the entry later; the node keeps trying.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./album --title "Songs of the sea" --tag music --tag folk',
    '<%= config.bin %> <%= command.id %> a.iso b.iso --json',
    '<%= config.bin %> <%= command.id %> debian.torrent --to ~/iso',
  ]
  static override strict = false
  static override args = { path: Args.string({ required: true, description: 'File or folder; several may be given.' }) }
  static override flags = {
    title: Flags.string({
      summary: 'What it is called in the index. Default: the name of the file or folder.',
      helpValue: 'TEXT',
    }),
    tag: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'A label, for searches with tag:WORD. Repeat it for several.',
      helpValue: 'WORD',
    }),
    to: Flags.string({
      summary: "Of a .torrent file: where its files stand. Default: the node's download directory.",
      helpValue: 'DIR',
    }),
    hidden: Flags.boolean({ default: false, summary: 'Take hidden files and folders (their names begin with a dot), too.' }),
    hybrid: Flags.boolean({
      default: false,
      summary: 'Make a torrent of versions 1 and 2 at once (BEP 52), for programs that know either.',
    }),
  }

  async run(): Promise<{ published: PublishResult[] }> {
    const { argv, flags } = await this.parse(ClientPublish)
    const { client } = await reachNode(flags.data, 'client')
    const details = {
      ...(flags.title === undefined ? {} : { title: flags.title }),
      tags: flags.tag ?? [],
      hidden: flags.hidden,
      hybrid: flags.hybrid,
      ...(flags.to === undefined ? {} : { directory: resolve(flags.to) }),
    }
    const published = await publishPaths(client, argv as string[], details, !this.jsonEnabled())
    this.log(published.map(publishText).join('\n\n'))
    return { published }
  }
}
