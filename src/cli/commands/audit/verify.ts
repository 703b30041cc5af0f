import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { auditText, pageNote } from '../../render/audit.ts'
import { readAudit } from '../../services/audit-file.ts'

export default class AuditVerify extends BaseCommand {
  static override summary = 'Check evidence that another node wrote down, with nothing but its file.'
  static override description =
    'Every signature, that no event of it is missing, that the authors were admitted to their network, and that the events come to the verdict and the digest that it tells; of a page, that its text says what its evidence says. Exit code 4, and what is wrong, where any of that does not hold. It needs no node and no network.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> evidence.html',
    '<%= config.bin %> <%= command.id %> evidence.json --json',
  ]
  static override args = { file: Args.string({ required: true, description: 'What `audit export` wrote.' }) }
  static override flags = {
    network: Flags.string({ summary: 'It must be of this network (its id, as `network show` prints it).', helpValue: 'ID' }),
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(AuditVerify)
    const { report, page } = await readAudit(args.file, flags.network)
    this.log(auditText(report))
    this.log(pageNote(page))
    const { peers, policy, ...rest } = report
    const told = peers.map(({ explanation, ...verdict }) => ({ ...verdict, terms: explanation.judgement.because }))
    return { holds: true, page, ...rest, policy: policy.id, peers: told }
  }
}
