import type { NetworkView } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { networkViewText } from '../../render/network.ts'
import { reachLog } from '../../services/reach.ts'

export default class NetworkShow extends BaseCommand {
  static override summary = 'Show the network of a node: who is admitted, by which invitation, since when.'
  static override description = 'What this node knows of it from its log, running or stopped.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --data ./index --json',
  ]

  async run(): Promise<NetworkView> {
    const { flags } = await this.parse(NetworkShow)
    await using log = await reachLog(flags.data)
    const view = await log.queries.network()
    this.log(networkViewText(view))
    return view
  }
}
