import type { RepairResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { repairText } from '../../render/events.ts'
import { dataDirectory } from '../../services/data-directory.ts'
import { EXIT } from '../../services/exit-code.ts'

/** `mended`: what was wrong with node.json, where that was made again. */
type Repaired = RepairResult & { readonly mended: string | null }

export default class LogRepair extends BaseCommand {
  static override summary = 'Make the damaged log of a stopped node usable again.'
  static override description =
    'Keeps every event whose bytes are whole, records what is gone as a known hole, and says whose events it was where that can be told; then it exits 1. The damaged files are kept in the data directory, in damaged-1, damaged-2 and so on. Afterwards the node can be started; it asks its peers for what they still have. A node.json that is damaged or gone is made again, too.'
  static override examples = ['<%= config.bin %> <%= command.id %> --data ./c1', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<Repaired> {
    const { flags } = await this.parse(LogRepair)
    const directory = dataDirectory(flags.data)
    const { mendStopped } = await import('../../../roles/compose-stopped.ts')
    const { repairStopped } = await import('../../../roles/node/repair.fs.ts')
    // First: the repair has to know whose log it is.
    const mended = (await mendStopped(directory)) ?? null
    if (mended !== null) this.log(mended)
    const result = await repairStopped(directory)
    this.log(repairText(result))
    if (!result.intact) process.exitCode = EXIT.damaged
    else if (result.lost.length > 0) process.exitCode = EXIT.failed
    return { ...result, mended }
  }
}
