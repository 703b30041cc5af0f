import { Flags } from '@oclif/core'
import { type LogQueries, type ReplayRequest, type ReplayResult, ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { replayText } from '../../render/reputation.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { policyAsked } from '../../services/policy-flag.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachLog } from '../../services/reach.ts'

export default class ReputationReplay extends BaseCommand {
  static override summary = 'Compute reputation again from the log: as it is, or what if.'
  static override description =
    'Over all events it must come to what the node believes (the digests are equal). --without leaves out what a node said, or one event; --until stops at a moment; --policy and --set try other rules; --as judges as another node would, by what it has said to others. Whoever stands otherwise than now is named, and why. docs/reputation.md describes policies.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --without 3f9a0c71 --without event:812 --json',
    '<%= config.bin %> <%= command.id %> --policy ancestor --until 2026-11-23T09:00:00Z',
    '<%= config.bin %> <%= command.id %> --policy ./strict.json --as 77be01c2',
  ]
  static override flags = {
    without: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Leave out what this node said (an id, or the start of it), or one event (event:SEQ). Repeat it for several.',
      helpValue: 'ID|event:SEQ',
    }),
    until: Flags.string({
      summary: 'Only the events up to this one, or up to a Lamport stamp, or a time.',
      helpValue: 'SEQ|lamport:N|TIME',
    }),
    as: Flags.string({ summary: 'Judge as this node would (an id, or the start of it).', helpValue: 'ID' }),
    policy: Flags.string({
      summary: 'Judge by this policy: ancestor, seed-v1, local-only, or a file.',
      helpValue: 'NAME|FILE',
    }),
    set: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['policy'],
      summary: 'Another value for a parameter of the policy. Repeat it for several.',
      helpValue: 'NAME=VALUE',
    }),
  }

  async run(): Promise<ReplayResult & { consequences?: string[] }> {
    const { args: _, flags } = await this.parse(ReputationReplay)
    const policy = flags.policy === undefined ? undefined : policyAsked(flags.policy, flags.set ?? [])
    await using log = await reachLog(flags.data)
    const request: ReplayRequest = {
      ...(await leftOut(log.queries, flags.without ?? [])),
      ...(flags.until === undefined ? {} : { until: (await log.queries.place(flags.until)).seq }),
      ...(flags.as === undefined ? {} : { as: await wholePeer(log.queries, flags.as) }),
      ...(policy === undefined ? {} : { policy: policy.asked }),
    }
    const line = new ProgressLine()
    const result = await withProgress(log.queries.replay(request), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('replaying', done, total, columns))
    }).finally(() => line.end())
    this.log(replayText(result, log.id))
    if (policy === undefined) return result
    this.log(`\nWhat the policy does:\n${policy.consequences.map((sentence) => `- ${sentence}`).join('\n')}`)
    return { ...result, consequences: policy.consequences }
  }
}

const EVENT = /^event:(\d{1,15})$/

async function leftOut(log: LogQueries, given: readonly string[]): Promise<Pick<ReplayRequest, 'without' | 'withoutEvents'>> {
  const [without, withoutEvents]: [string[], number[]] = [[], []]
  for (const one of given) {
    const seq = EVENT.exec(one)?.[1]
    if (seq !== undefined) withoutEvents.push(Number(seq))
    else if (one.startsWith('event:'))
      throw new ServiceError('usage', `an event is event: and its sequence in this log, not ${one}`)
    else without.push(await wholePeer(log, one))
  }
  return { without, withoutEvents }
}
