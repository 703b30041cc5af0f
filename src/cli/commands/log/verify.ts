import { Flags } from '@oclif/core'
import type { VerifyResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { verifyText } from '../../render/events.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { EXIT } from '../../services/exit-code.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogVerify extends BaseCommand {
  static override summary = 'Check that nothing in the log is missing, altered or out of order.'
  static override description =
    'Exits 0 when it is intact and 4 when it is damaged, and names each damaged range. Of a stopped node, 4 also when the key in its data directory is not that of the log.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --signatures --json']
  static override flags = {
    signatures: Flags.boolean({ default: false, summary: "Check each event's signature, too (slower)." }),
  }

  async run(): Promise<VerifyResult> {
    const { flags } = await this.parse(LogVerify)
    await using log = await reachLog(flags.data)
    const line = new ProgressLine()
    const result = await withProgress(log.queries.verify({ signatures: flags.signatures }), ({ done, total }) => {
      if (!this.jsonEnabled()) line.show((columns) => stepLine('verifying', done, total, columns))
    })
    line.end()
    this.log(verifyText(result))
    if (!result.intact) process.exitCode = EXIT.damaged
    return result
  }
}
