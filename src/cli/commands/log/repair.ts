import type { RepairResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { repairText } from '../../render/events.ts'
import { dataDirectory } from '../../services/data-directory.ts'
import { EXIT } from '../../services/exit-code.ts'

export default class LogRepair extends BaseCommand {
  static override summary = 'Make the damaged log of a stopped node usable again.'
  static override description =
    'Keeps every event that the chain of digests proves, records what is gone as a known hole, and says whose events it was where that can be told. The damaged files are kept in the data directory, in damaged-1, damaged-2 and so on. Afterwards the node can be started; it asks its peers for what they still have.'
  static override examples = ['<%= config.bin %> <%= command.id %> --data ./c1', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<RepairResult> {
    const { flags } = await this.parse(LogRepair)
    const { repairStopped } = await import('../../../roles/node/repair.fs.ts')
    const result = await repairStopped(dataDirectory(flags.data))
    this.log(repairText(result))
    if (!result.intact) process.exitCode = EXIT.damaged
    return result
  }
}
