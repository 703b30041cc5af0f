import { BaseCommand } from '../../base-command.ts'
import { reachLog } from '../../services/reach.ts'

export default class NodeIdCommand extends BaseCommand {
  static override summary = "Print the node's id."
  static override description = 'Its public key, 64 hex digits: who it is on every link. Works on a stopped node, too.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./c1 --json']

  async run(): Promise<{ id: string; role: string }> {
    const { flags } = await this.parse(NodeIdCommand)
    await using log = await reachLog(flags.data)
    const { id, role } = log
    this.log(id)
    return { id, role }
  }
}
