import { Args } from '@oclif/core'
import type { TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { torrentTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientResume extends BaseCommand {
  static override summary = 'Go on with a paused torrent.'
  static override description = 'Goes on where it stopped; what was verified is not hashed again.'
  static override examples = ['<%= config.bin %> <%= command.id %> c12fe1c06bba254a9dc9f519b335aa7c1367a88a']
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }

  async run(): Promise<TorrentRow> {
    const { args, flags } = await this.parse(ClientResume)
    const { client } = await reachNode(flags.data, 'client')
    const row = await client.resume(await wholeInfoHash(client, args.infoHash))
    this.log(torrentTable([row]))
    return row
  }
}
