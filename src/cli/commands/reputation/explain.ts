import { Args, Flags } from '@oclif/core'
import type { Explanation, LogPlace } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { explanationText } from '../../render/reputation.ts'
import { asOf, atFlag, placeAt, placeLine } from '../../services/at-flag.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationExplain extends BaseCommand {
  static override summary = 'Tell why a peer has the score it has.'
  static override description =
    'The terms that make up the score, every event that moved it, and, for a banned peer, the smallest set of events without which it would not be banned.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f9a0c71',
    '<%= config.bin %> <%= command.id %> ip:203.0.113.9 --json',
    '<%= config.bin %> <%= command.id %> 3f9a0c71 --at lamport:880',
  ]
  static override args = { peer: Args.string({ required: true, description: 'A node id or the start of it, or ip:ADDRESS.' }) }

  static override flags = { ...atFlag, all: Flags.boolean({ summary: 'Show every event, however many.', default: false }) }

  async run(): Promise<Explanation & { asOf?: LogPlace }> {
    const { args, flags } = await this.parse(ReputationExplain)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    const explanation = await log.queries.explain(await wholePeer(log.queries, args.peer), asOf(place))
    if (place !== undefined) this.log(placeLine(place))
    this.log(explanationText(explanation, { all: flags.all }))
    return { ...explanation, ...(place && { asOf: place }) }
  }
}
