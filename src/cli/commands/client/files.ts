import { Args } from '@oclif/core'
import type { TorrentFileRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { fileTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientFiles extends BaseCommand {
  static override summary = 'Show the files of a torrent.'
  static override description =
    'How far each one is, and whether it is wanted; `client select` changes that. Nothing is shown while its metainfo is not known.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c12fe1c0',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --json',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }

  async run(): Promise<{ files: TorrentFileRow[] }> {
    const { args, flags } = await this.parse(ClientFiles)
    const { client } = await reachNode(flags.data, 'client')
    const files = await client.files(await wholeInfoHash(client, args.infoHash))
    this.log(fileTable(files))
    return { files }
  }
}
