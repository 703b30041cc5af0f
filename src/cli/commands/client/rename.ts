import { Args } from '@oclif/core'
import type { TorrentFileRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { fileTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientRename extends BaseCommand {
  static override summary = 'Call a file of a torrent, or its folder, otherwise on the disk.'
  static override description =
    "For others the torrent stays as it is. FILE is a number from `client files`, a path or a name there, or the name of the torrent's folder. NAME is a name alone: `client move` puts files elsewhere."
  static override examples = [
    "<%= config.bin %> <%= command.id %> c12fe1c0 3 'Track 3.flac'",
    "<%= config.bin %> <%= command.id %> c12fe1c0 album 'My album'",
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
    file: Args.string({ name: 'FILE', required: true, description: "A number, a path, a name, or the torrent's folder." }),
    name: Args.string({ name: 'NAME', required: true, description: 'What it is called from now on.' }),
  }

  async run(): Promise<{ files: TorrentFileRow[] }> {
    const { args, flags } = await this.parse(ClientRename)
    const { client } = await reachNode(flags.data, 'client')
    const hash = await wholeInfoHash(client, args.infoHash)
    await client.rename(hash, { file: args.file, name: args.name })
    const files = await client.files(hash)
    this.log(fileTable(files))
    return { files }
  }
}
