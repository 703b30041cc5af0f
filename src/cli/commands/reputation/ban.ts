import { Args, Flags } from '@oclif/core'
import type { ScoreRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { scoreTable } from '../../render/reputation.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ReputationBan extends BaseCommand {
  static override summary = 'Ban a peer by your own word.'
  static override description =
    'Your word stands over every score. It is an event in the log, and is undone by `reputation unban`.'
  static override examples = ['<%= config.bin %> <%= command.id %> 3f9a0c71 --reason "sends garbage"']
  static override args = { peer: Args.string({ required: true, description: 'A node id or the start of it, or ip:ADDRESS.' }) }
  static override flags = { reason: Flags.string({ required: true, summary: 'Why; it goes into the log.', helpValue: 'TEXT' }) }

  async run(): Promise<ScoreRow> {
    const { args, flags } = await this.parse(ReputationBan)
    const { node } = await reachNode(flags.data)
    const row = await node.ban(await wholePeer(node, args.peer), flags.reason)
    this.log(scoreTable([row]))
    return row
  }
}
