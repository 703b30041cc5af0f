import { Flags } from '@oclif/core'
import type { LogPlace, MemberRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { memberLine, memberTable } from '../../render/node.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { memberChanges } from '../../services/member-changes.ts'
import { reachLog } from '../../services/reach.ts'

export default class NodeLiveness extends BaseCommand {
  static override summary = 'Show which nodes are alive, by what this node has learnt.'
  static override description =
    "Each member's state, since when and by whose word. Of a stopped node: as it stood at the end of its log."
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --data ./b1 --json',
    '<%= config.bin %> <%= command.id %> --watch',
    '<%= config.bin %> <%= command.id %> --at 2026-11-23T09:00:00Z',
  ]
  static override flags = {
    ...atFlag,
    watch: Flags.boolean({
      char: 'w',
      default: false,
      exclusive: ['at'],
      summary: 'Go on with each change of a running node until Ctrl-C. With --json, JSON lines.',
    }),
  }

  async run(): Promise<{ members: MemberRow[]; asOf?: LogPlace } | undefined> {
    const { flags } = await this.parse(NodeLiveness)
    await using log = await reachLog(flags.data)
    if (flags.watch && log.running !== undefined) {
      const { node } = log.running
      const { head } = (await node.status()).log
      const first = await node.members()
      if (this.jsonEnabled()) for (const row of first) await this.emit(row, () => '')
      else this.log(memberTable(first))
      for await (const row of memberChanges(node, first, head)) await this.emit(row, () => memberLine(row))
      return undefined
    }
    const place = await placeAt(log.queries, flags.at)
    const members = await log.queries.members(asOf(place))
    if (place !== undefined) this.log(placeLine(place))
    this.log(memberTable(members))
    return { members, ...(place && { asOf: place }) }
  }
}
