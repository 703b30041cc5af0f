import { Args } from '@oclif/core'
import type { LinkRow, TorrentPeerRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { linkTable } from '../../render/node.ts'
import { torrentPeerTable } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientPeers extends BaseCommand {
  static override summary = 'Show who the client is connected with.'
  static override description = 'Peers of its torrents (of one torrent with INFOHASH), and its links to other nodes.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> c12fe1c0 --json']
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', description: 'One torrent only: its info hash, or the start of it.' }),
  }

  async run(): Promise<{ torrentPeers: TorrentPeerRow[]; links: LinkRow[] }> {
    const { args, flags } = await this.parse(ClientPeers)
    const { client, node } = await reachNode(flags.data, 'client')
    const filter = args.infoHash === undefined ? {} : { infoHash: await wholeInfoHash(client, args.infoHash) }
    const torrentPeers = await client.torrentPeers(filter)
    const links = await node.links()
    this.log(`${torrentPeerTable(torrentPeers)}\n\n${linkTable(links)}`)
    return { torrentPeers, links }
  }
}
