import { Args, Flags } from '@oclif/core'
import type { AdoptedPolicy } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { policyAsked } from '../../services/policy-flag.ts'
import { reachNode } from '../../services/reach.ts'

export default class ReputationAdopt extends BaseCommand {
  static override summary = 'Judge by another policy from here on.'
  static override description =
    'It is an event in the log, and holds for what is seen from then on: bans that were made stay, until `reputation unban` lifts them. `reputation replay --policy` tells before who would stand otherwise. docs/reputation.md describes policies.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./strict.json',
    '<%= config.bin %> <%= command.id %> local-only',
  ]
  static override args = { policy: Args.string({ required: true, description: 'ancestor, seed-v1, local-only, or a file.' }) }
  static override flags = {
    set: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Another value for a parameter of the policy. Repeat it for several.',
      helpValue: 'NAME=VALUE',
    }),
  }

  async run(): Promise<AdoptedPolicy & { consequences: string[] }> {
    const { args, flags } = await this.parse(ReputationAdopt)
    const { asked, consequences } = policyAsked(args.policy, flags.set ?? [])
    const { node } = await reachNode(flags.data)
    const policy = await node.adopt(asked)
    this.log(`this node judges by ${policy.id} from here on:\n${consequences.map((sentence) => `- ${sentence}`).join('\n')}`)
    return { ...policy, consequences }
  }
}
