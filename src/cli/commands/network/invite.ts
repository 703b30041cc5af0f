import { Flags } from '@oclif/core'
import { ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { invitationText } from '../../render/network.ts'
import { parseEndpoint } from '../../services/addresses.ts'
import { expiryOf, ownerFlags, ownerFolder } from '../../services/owner.ts'

export default class NetworkInvite extends BaseCommand {
  static override summary = 'Make an invitation: a string that nodes join your network with.'
  static override description =
    "Needs the owner's key. Whoever has the string can join until it expires or you revoke it: with one node as a member, with any number as clients, who then share what others keep of them. Make one for each machine or person, and name it."
  static override examples = [
    '<%= config.bin %> <%= command.id %> --role client --name guest --expires 30d',
    '<%= config.bin %> <%= command.id %> --role member --name "index node in Graz" --json',
  ]
  static override flags = {
    ...ownerFlags,
    role: Flags.option({
      options: ['client', 'member'] as const,
      required: true,
      summary: 'What it admits: clients, or members (bootstraps and index nodes).',
    })(),
    name: Flags.string({ default: '', summary: 'Whom it is for, as `network show` will say.' }),
    expires: Flags.string({
      summary: 'When nodes that it admitted are admitted no more, from now. Default: never.',
      helpValue: '30d',
    }),
    bootstrap: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Bootstraps in the string, where they are others than when the network was made.',
      helpValue: 'HOST:PORT',
    }),
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(NetworkInvite)
    const folder = ownerFolder(flags)
    const { role, name, bootstrap } = flags
    const expiresAt = expiryOf(flags.expires)
    for (const each of bootstrap ?? []) parseEndpoint(each)
    if ((bootstrap ?? folder.bootstraps).length === 0)
      throw new ServiceError(
        'usage',
        'this network was made without bootstraps: say with --bootstrap HOST:PORT where one is reached',
      )
    const invited = folder.invite({
      role,
      name,
      expiresAt,
      ...(bootstrap === undefined ? {} : { bootstraps: bootstrap }),
    })
    this.log(invitationText({ ...invited, role, name, expiresAt }))
    return {
      ...{ ...invited, network: folder.network, role, name },
      expiresAt: expiresAt === 0 ? null : expiresAt,
    }
  }
}
