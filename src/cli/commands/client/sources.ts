import { Args, Flags } from '@oclif/core'
import type { SourcesRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { sourcesText } from '../../render/sources.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

const several = (summary: string, helpValue: string) =>
  Flags.string({ multiple: true, multipleNonGreedy: true, summary, helpValue })

export default class ClientSources extends BaseCommand {
  static override summary = 'Show or change where a torrent finds peers besides its network.'
  static override description =
    'Trackers and web seeds are asked, and peers are exchanged with strangers, only for torrents that a person made public, and never for private ones (BEP 27). Strangers then see the address of this client. The public DHT and the local network are told of a public torrent only where that was said too.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c12fe1c0',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --public --add-tracker udp://tracker.example.org:6969/announce',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --public --dht --local',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --add-peer 192.0.2.7:6881',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }
  static override flags = {
    public: Flags.boolean({ allowNo: true, summary: 'Let strangers take part.' }),
    dht: Flags.boolean({ allowNo: true, summary: 'If it is public: take part in the public Mainline DHT.' }),
    local: Flags.boolean({ allowNo: true, summary: 'If it is public: announce it on the local network (BEP 14).' }),
    'add-tracker': several('One more tracker (HTTP or UDP).', 'URL'),
    'remove-tracker': several('One tracker less.', 'URL'),
    'add-web-seed': several('One more web server that has the files (BEP 19).', 'URL'),
    'remove-web-seed': several('One web server less.', 'URL'),
    'add-peer': several('A peer to dial now.', 'HOST:PORT'),
  }

  async run(): Promise<SourcesRow> {
    const { args, flags } = await this.parse(ClientSources)
    const { client } = await reachNode(flags.data, 'client')
    const hash = await wholeInfoHash(client, args.infoHash)
    const request = {
      ...(flags.public === undefined ? {} : { public: flags.public }),
      ...(flags.dht === undefined ? {} : { dht: flags.dht }),
      ...(flags.local === undefined ? {} : { local: flags.local }),
      addTrackers: flags['add-tracker'] ?? [],
      removeTrackers: flags['remove-tracker'] ?? [],
      addWebSeeds: flags['add-web-seed'] ?? [],
      removeWebSeeds: flags['remove-web-seed'] ?? [],
      addPeers: flags['add-peer'] ?? [],
    }
    const row = await client.changeSources(hash, request)
    this.log(sourcesText(row))
    return row
  }
}
