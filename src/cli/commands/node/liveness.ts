import type { LogPlace, MemberRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { memberTable } from '../../render/node.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { reachLog } from '../../services/reach.ts'

export default class NodeLiveness extends BaseCommand {
  static override summary = 'Show which nodes are alive, by what this node has learnt.'
  static override description =
    "Each member's state, since when and by whose word. Of a stopped node: as it stood at the end of its log."
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --data ./b1 --json',
    '<%= config.bin %> <%= command.id %> --at 2026-11-23T09:00:00Z',
  ]
  static override flags = atFlag

  async run(): Promise<{ members: MemberRow[]; asOf?: LogPlace }> {
    const { flags } = await this.parse(NodeLiveness)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    const members = await log.queries.members(asOf(place))
    if (place !== undefined) this.log(placeLine(place))
    this.log(memberTable(members))
    return { members, ...(place && { asOf: place }) }
  }
}
