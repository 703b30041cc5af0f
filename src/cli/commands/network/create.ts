import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { networkText } from '../../render/network.ts'
import { createNetwork, MEMBERS_MADE_MAX, type NetworkMade } from '../../services/owner.ts'

export default class NetworkCreate extends BaseCommand {
  static override summary = 'Make a network of your own, and the strings that others join it with.'
  static override description =
    'Makes the key of its owner, which invites and revokes: keep a copy of the folder it names. Each bootstrap and index node joins with a string of its own, all clients with one. In an open network clients need no invitation, members always do.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> herbarium --bootstrap 203.0.113.5:4700',
    '<%= config.bin %> <%= command.id %> mirrors --open --bootstrap a.example.org:4700 --bootstrap b.example.org:4700',
  ]
  static override args = { name: Args.string({ required: true, description: 'What people call it.' }) }
  static override flags = {
    bootstrap: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      required: true,
      summary: 'Where a bootstrap node of it will be reached. Repeat it for several; the strings carry them.',
      helpValue: 'HOST:PORT',
    }),
    members: Flags.integer({
      min: 0,
      max: MEMBERS_MADE_MAX,
      summary: 'Strings for bootstraps and index nodes; `network invite` makes more. Default: one a bootstrap, and three.',
    }),
    open: Flags.boolean({ default: false, summary: 'Let clients in without an invitation.' }),
    owner: Flags.string({ summary: "Where the owner's key is kept. Default: a folder of its name.", helpValue: 'DIR' }),
  }

  async run(): Promise<NetworkMade> {
    const { args, flags } = await this.parse(NetworkCreate)
    const { name } = args
    const { open, members, owner: directory } = flags
    const made = createNetwork({
      name,
      open,
      bootstraps: flags.bootstrap,
      directory,
      ...(members === undefined ? {} : { members }),
    })
    this.log(networkText(made))
    return made
  }
}
