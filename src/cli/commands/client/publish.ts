import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { type PublishResult, ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { publishText } from '../../render/torrents.ts'
import { bulkCommand } from '../../services/bulk-command.ts'
import { publishPaths } from '../../services/publish.ts'
import { publishFlags } from '../../services/publish-flags.ts'
import { openList, readList } from '../../services/publish-list.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientPublish extends BaseCommand {
  static override summary = 'Make a torrent of a file or folder, seed it, and put it into the index.'
  static override description =
    'Each PATH becomes a torrent of its own. A .torrent file is published as the torrent that it describes, if its files are here: among the torrents of this client, or where --to says. Symbolic links in a folder are never followed, since they may lead anywhere; they, hidden files, and pipes, sockets and devices are left out and told. What belongs to a data directory of p2pt is refused. Index nodes that cannot be reached get the entry later; the node keeps trying. A list (--from) may also have JSON objects as lines, with "path", "title", "tags", "category" and "directory"; a line that is broken, or whose path cannot be published, is told by its number, holds up nothing, and ends it with exit code 1. What was published before and looks as it did is passed over. With --json it then prints a line for each, and a summary.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./album --title "Songs of the sea" --tag music --tag folk',
    '<%= config.bin %> <%= command.id %> a.iso b.iso --json',
    '<%= config.bin %> <%= command.id %> debian.torrent --to ~/iso',
    'find ~/papers -name "*.pdf" | <%= config.bin %> <%= command.id %> --from - --tag paper',
  ]
  static override strict = false
  static override args = { path: Args.string({ ignoreStdin: true, description: 'File or folder; several may be given.' }) }
  static override flags = {
    title: Flags.string({
      summary: 'What it is called in the index. Default: the name of the file or folder.',
      helpValue: 'TEXT',
    }),
    tag: publishFlags.tag,
    to: Flags.string({
      summary: "Of a .torrent file: where its files stand. Default: the node's download directory; with --from: beside it.",
      helpValue: 'DIR',
    }),
    from: Flags.string({
      summary: 'Publish what a list names, a line each: a path, then, after tabs, a title, tags and a category. -: stdin.',
      helpValue: 'LIST',
    }),
    hidden: publishFlags.hidden,
    hybrid: publishFlags.hybrid,
  }

  async run(): Promise<{ published: PublishResult[] } | undefined> {
    const { argv, flags } = await this.parse(ClientPublish)
    if (flags.from !== undefined) return this.#publishList(flags.from, flags, argv.length)
    if (argv.length === 0) throw new ServiceError('usage', 'give a file or folder to publish, or --from and a list')
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

  async #publishList(
    list: string,
    { data, title, to, tag: tags = [], hidden, hybrid }: PublishFlags,
    paths: number,
  ): Promise<undefined> {
    if (paths > 0) throw new ServiceError('usage', 'give either paths or --from')
    if (title !== undefined) throw new ServiceError('usage', 'titles of several torrents stand in the list')
    const bytes = await openList(list)
    const { client } = await reachNode(data, 'client')
    const entries = readList(bytes, { tags, directory: to })
    await bulkCommand(client, entries, { hidden, hybrid, json: this.jsonEnabled(), total: null })
  }
}

type PublishFlags = {
  data?: string | undefined
  title?: string | undefined
  to?: string | undefined
  tag?: string[] | undefined
  hidden: boolean
  hybrid: boolean
}
