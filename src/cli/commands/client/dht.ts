import type { DhtStatus } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { dhtText } from '../../render/torrents.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientDht extends BaseCommand {
  static override summary = "Show the client's two DHTs."
  static override description =
    'The overlay finds nodes of p2pt (HyperDHT); the torrent DHT finds peers of a torrent (Mainline, BEP 5).'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<DhtStatus> {
    const { flags } = await this.parse(ClientDht)
    const { client } = await reachNode(flags.data, 'client')
    const dht = await client.dht()
    this.log(dhtText(dht))
    return dht
  }
}
