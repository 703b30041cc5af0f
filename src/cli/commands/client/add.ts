import { Args } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { download, downloadFlags } from '../../services/download-command.ts'
import { reachNode } from '../../services/reach.ts'
import { readTorrentFile } from '../../services/torrent-file.ts'

export default class ClientAdd extends BaseCommand {
  static override summary = 'Download what a torrent file describes, and then seed it.'
  static override description =
    'In a terminal it shows the progress until the download is complete; Ctrl-C leaves, and the node goes on. With --json it returns at once; with --json --wait it prints JSON lines, the last one with "event":"done".'
  static override examples = [
    '<%= config.bin %> <%= command.id %> film.torrent',
    '<%= config.bin %> <%= command.id %> film.torrent --to ~/Films --json --wait',
  ]
  static override args = { file: Args.string({ required: true, description: 'The torrent file.' }) }
  static override flags = downloadFlags

  async run(): Promise<object | undefined> {
    const { args, flags } = await this.parse(ClientAdd)
    const torrentFile = await readTorrentFile(args.file)
    const node = await reachNode(flags.data, 'client')
    return download(node, { torrentFile }, flags, { json: this.jsonEnabled(), interactive: this.interactive })
  }
}
