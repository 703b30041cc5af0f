import { Args } from '@oclif/core'
import type { TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { recheckText } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'
import { watched } from '../../services/watched.ts'

export default class ClientRecheck extends BaseCommand {
  static override summary = "Hash a torrent's files again, and seed what is whole."
  static override description =
    'For files that were changed, restored or moved back. If pieces are missing, the torrent is left paused: `client resume` then downloads them over what stands there.'
  static override examples = ['<%= config.bin %> <%= command.id %> c12fe1c06bba254a9dc9f519b335aa7c1367a88a']
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }

  async run(): Promise<TorrentRow> {
    const { args, flags } = await this.parse(ClientRecheck)
    const { client } = await reachNode(flags.data, 'client')
    const hash = await wholeInfoHash(client, args.infoHash)
    const row = await watched(client.recheck(hash), `checking ${hash.slice(0, 16)}`, !this.jsonEnabled())
    this.log(recheckText(row))
    return row
  }
}
