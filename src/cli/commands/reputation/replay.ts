import { Flags } from '@oclif/core'
import { type ReplayRequest, type ReplayResult, ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { replayText } from '../../render/reputation.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationReplay extends BaseCommand {
  static override summary = 'Compute reputation again from the log, and compare.'
  static override description =
    'Over all events it must come to what the node believes (the digests are equal). --without leaves out what one author said, --until stops at an event, --policy and --set try other rules.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --without 3f9a0c71 --json',
    '<%= config.bin %> <%= command.id %> --until 500',
  ]
  static override flags = {
    without: Flags.string({ summary: 'Leave out what this author said (a node id, or the start of it).', helpValue: 'ID' }),
    until: Flags.integer({ min: 0, summary: 'Only the events up to this one.', helpValue: 'SEQ' }),
    policy: Flags.string({ summary: 'Judge by this policy.', helpValue: 'NAME' }),
    set: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['policy'],
      summary: 'A parameter of the policy. Repeat it for several.',
      helpValue: 'NAME=VALUE',
    }),
  }

  async run(): Promise<ReplayResult> {
    const { flags } = await this.parse(ReputationReplay)
    await using log = await reachLog(flags.data)
    const request: ReplayRequest = {
      ...(flags.without === undefined ? {} : { without: await wholePeer(log.queries, flags.without) }),
      ...(flags.until === undefined ? {} : { until: flags.until }),
      ...(flags.policy === undefined ? {} : { policy: { id: flags.policy, parameters: parameters(flags.set ?? []) } }),
    }
    const line = new ProgressLine()
    const result = await withProgress(log.queries.replay(request), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('replaying', done, total, columns))
    }).finally(() => line.end())
    this.log(replayText(result))
    return result
  }
}

function parameters(settings: readonly string[]): Record<string, number> {
  const entries = settings.map((setting): [string, number] => {
    const match = /^([\w.-]+)=(-?\d+(?:\.\d+)?)$/.exec(setting)
    if (match?.[1] === undefined) throw new ServiceError('usage', `not of the form NAME=VALUE with a number: ${setting}`)
    return [match[1], Number(match[2])]
  })
  return Object.fromEntries(entries)
}
