import type { MemberRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { memberTable } from '../../render/node.ts'
import { reachLog } from '../../services/reach.ts'

export default class NodeLiveness extends BaseCommand {
  static override summary = 'Show which nodes are alive, by what this node has learnt.'
  static override description =
    "Each member's state, since when and by whose word. Of a stopped node: as it stood at the end of its log."
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./b1 --json']

  async run(): Promise<{ members: MemberRow[] }> {
    const { flags } = await this.parse(NodeLiveness)
    await using log = await reachLog(flags.data)
    const members = await log.queries.members()
    this.log(memberTable(members))
    return { members }
  }
}
