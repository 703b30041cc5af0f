import { Args, Flags } from '@oclif/core'
import type { PriorityName, TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { torrentTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientSelect extends BaseCommand {
  static override strict = false
  static override summary = 'Choose which files of a torrent are wanted, and in which order they come.'
  static override description =
    `FILES are numbers from \`client files\`, runs of them (3-7), paths, names, folders, or patterns ('*.flac'); without FILES all are meant. It is complete when all that is wanted is here. What is here of other files stays, and pieces that they share with wanted ones come too.`
  static override examples = [
    "<%= config.bin %> <%= command.id %> c12fe1c0 '*.flac' --only",
    '<%= config.bin %> <%= command.id %> c12fe1c0 3-7 --priority high',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --priority normal --sequential',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
    files: Args.string({ name: 'FILES', description: 'Numbers, runs, paths, names, folders or patterns.' }),
  }
  static override flags = {
    priority: Flags.option({ options: ['skip', 'low', 'normal', 'high'] as const })({
      summary: 'Of FILES. Default: normal, if FILES are given.',
    }),
    only: Flags.boolean({ summary: 'Skip all other files.' }),
    sequential: Flags.boolean({ allowNo: true, summary: 'In the order of the files, to look at them while they come.' }),
  }

  async run(): Promise<TorrentRow> {
    const { argv, args, flags } = await this.parse(ClientSelect)
    const files = (argv as string[]).slice(1)
    const { client } = await reachNode(flags.data, 'client')
    const hash = await wholeInfoHash(client, args.infoHash)
    const priority: PriorityName | undefined = flags.priority ?? (files.length > 0 ? 'normal' : undefined)
    if (flags.only && files.length === 0) this.error('--only needs FILES', { exit: 2 })
    if (priority === undefined && flags.sequential === undefined)
      this.error('nothing to change: give FILES, --priority or --sequential', { exit: 2 })
    const row = await client.select(hash, {
      files,
      ...(priority && { priority }),
      ...(flags.only && { others: 'skip' }),
      ...(flags.sequential === undefined ? {} : { sequential: flags.sequential }),
    })
    this.log(torrentTable([row]))
    return row
  }
}
