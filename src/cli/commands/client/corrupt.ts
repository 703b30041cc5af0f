import { Args } from '@oclif/core'
import type { TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { torrentTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientCorrupt extends BaseCommand {
  static override summary = 'Serve a share of the pieces corrupted, to test reputation.'
  static override description =
    'What is on the disk stays as it is. Refused unless the node was started with --allow-corrupt. 0 ends it.'
  static override examples = ['<%= config.bin %> <%= command.id %> c12fe1c06bba254a9dc9f519b335aa7c1367a88a 100']
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
    percent: Args.integer({ name: 'PERCENT', required: true, min: 0, max: 100, description: 'Share of the pieces, 0 to 100.' }),
  }

  async run(): Promise<TorrentRow> {
    const { args, flags } = await this.parse(ClientCorrupt)
    const { client } = await reachNode(flags.data, 'client')
    const row = await client.corrupt(await wholeInfoHash(client, args.infoHash), args.percent)
    this.log(torrentTable([row]))
    return row
  }
}
