import { Args, Flags } from '@oclif/core'
import { isInfoHash } from '../../../events/model/ids.ts'
import { BaseCommand } from '../../base-command.ts'
import { auditText } from '../../render/audit.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { bytes, counted } from '../../render/units.ts'
import { type CheckedAudit, writeAudit } from '../../services/audit-file.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { wholePeer } from '../../services/prefix.ts'
import { reachLog } from '../../services/reach.ts'

export default class AuditExport extends BaseCommand {
  static override summary = 'Write down the evidence for what this node thinks of a peer, for others to check.'
  static override description =
    'The signed events from which it follows, the certificates of their authors, the policy, the verdict and its digest, signed by this node. A FILE that ends with .html is a page for people that carries the same evidence in itself; any other is JSON. Of an info hash: about everyone who was judged for bad pieces of it. `audit verify` checks either. What this node keeps to itself about the peer (suspicions, the operator’s word) is in it.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f9a0c71 evidence.html',
    '<%= config.bin %> <%= command.id %> c12fe1c06bba254a9dc9f519b335aa7c1367a88a evidence.json',
  ]
  static override args = {
    about: Args.string({
      required: true,
      description: 'A node id or the start of it, ip:ADDRESS, or an info hash (40 digits).',
    }),
    file: Args.string({ required: true, description: 'File to write, .html for a page.' }),
  }
  static override flags = { force: Flags.boolean({ default: false, summary: 'Write over a file that is there.' }) }

  async run(): Promise<Omit<CheckedAudit, 'report'> & { events: number; digest: string }> {
    const { args, flags } = await this.parse(AuditExport)
    await using log = await reachLog(flags.data)
    const about = isInfoHash(args.about.toLowerCase()) ? args.about.toLowerCase() : await wholePeer(log.queries, args.about)
    const line = new ProgressLine()
    const bundle = await withProgress(log.queries.audit(about), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('reading', done, total, columns))
    }).finally(() => line.end())
    const { report, ...written } = await writeAudit(args.file, bundle, flags)
    this.log(auditText(report))
    this.log(`\n${counted(report.events, 'event')} (${bytes(written.bytes)}) in ${args.file}`)
    return { ...written, events: report.events, digest: report.digest }
  }
}
