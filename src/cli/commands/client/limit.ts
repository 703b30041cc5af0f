import { Args, Flags } from '@oclif/core'
import type { ClientLimits, TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { limitsText, torrentLimitsText } from '../../render/limits.ts'
import { clientChange, torrentChange } from '../../services/limit-changes.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

const count = (summary: string) => Flags.string({ summary, helpValue: 'N|none' })

export default class ClientLimit extends BaseCommand {
  static override summary = 'Show or change limits: rates, connections, how many torrents at a time, and how long to seed.'
  static override description =
    'Of the client, or of one torrent with INFOHASH. A change holds at once and outlives a restart; what is not given stays as it is. --at sets the whole schedule: each time is a pattern (minute hour day month weekday, local time) and the rates from then on, until the next one. --down and --up hold over all peers; --local-... and --remote-... hold besides, each over its own (not with the engine webtorrent). `client status --why` says what follows for each torrent.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --down 5MB --up 1MB',
    "<%= config.bin %> <%= command.id %> --at '0 8 * * 1-5=500kB/100kB' --at '0 18 * * *=none/none'",
    '<%= config.bin %> <%= command.id %> --remote-up 1MB',
    '<%= config.bin %> <%= command.id %> --downloads 3 --ratio 2 --seed-time 7d',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --up 200kB --ratio none',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', description: 'One torrent: its info hash, or the start of it.' }),
  }
  static override flags = {
    down: Flags.string({ summary: 'Most that is downloaded a second.', helpValue: 'RATE|none' }),
    up: Flags.string({ summary: 'Most that is uploaded a second.', helpValue: 'RATE|none' }),
    'local-down': Flags.string({
      summary: 'The same, of peers on this machine and in local networks.',
      helpValue: 'RATE|none',
    }),
    'local-up': Flags.string({ summary: 'The same, to peers on this machine and in local networks.', helpValue: 'RATE|none' }),
    'remote-down': Flags.string({ summary: 'The same, of all other peers.', helpValue: 'RATE|none' }),
    'remote-up': Flags.string({ summary: 'The same, to all other peers.', helpValue: 'RATE|none' }),
    ratio: Flags.string({ summary: 'Seed until so many times its size was given.', helpValue: 'X|none' }),
    'seed-time': Flags.string({ summary: 'Seed for so long.', helpValue: 'TIME|none' }),
    connections: count('Connections with peers, over all torrents.'),
    slots: count('Peers of one torrent that are served at a time.'),
    downloads: count('Torrents that download at a time; one that nothing comes of keeps no other waiting.'),
    seeds: count('Torrents that seed at a time.'),
    at: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'A time of the schedule, and the rates from then on. Repeat it; `none` ends the schedule.',
      helpValue: 'PATTERN=DOWN/UP',
    }),
  }

  async run(): Promise<ClientLimits | TorrentRow> {
    const { args, flags } = await this.parse(ClientLimit)
    const { client } = await reachNode(flags.data, 'client')
    if (args.infoHash === undefined) {
      const change = clientChange(flags)
      const limits = Object.keys(change).length === 0 ? await client.limits() : await client.configure(change)
      this.log(limitsText(limits))
      return limits
    }
    const row = await client.limit(await wholeInfoHash(client, args.infoHash), torrentChange(flags))
    this.log(torrentLimitsText(row))
    return row
  }
}
