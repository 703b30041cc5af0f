import { BaseCommand } from '../../base-command.ts'
import { networkViewText } from '../../render/network.ts'
import { ownerFlags, ownerFolderOf } from '../../services/owner.ts'
import { reachLog } from '../../services/reach.ts'
import { type NetworkShown, withBook } from '../../services/unused-invitations.ts'

export default class NetworkShow extends BaseCommand {
  static override summary = 'Show the network of a node: who is admitted, by which invitation, since when.'
  static override description =
    'What this node knows of it from its log, running or stopped; where the folder of its owner is, also the invitations that nobody has used.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --data ./index --json',
  ]
  static override flags = { ...ownerFlags }

  async run(): Promise<NetworkShown> {
    const { flags } = await this.parse(NetworkShow)
    await using log = await reachLog(flags.data)
    const view = await log.queries.network()
    const shown = withBook(view, ownerFolderOf(view, flags)?.invitations(), Date.now())
    this.log(networkViewText(shown))
    return shown
  }
}
