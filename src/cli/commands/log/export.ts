import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { bytes, counted } from '../../render/units.ts'
import { exportLog } from '../../services/export-log.ts'
import { logFilter, logFilterFlags } from '../../services/log-flags.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogExport extends BaseCommand {
  static override summary = 'Write the log out, with signatures, for another program.'
  static override description =
    'NDJSON: one event a line, with its fields, and as base64 the signed bytes ("body") and the signature, so that anyone can check it; the last line says how many there are. A bundle has the same signed bytes in a third of the room, and a checksum. `log import` takes either. Goes to stdout, or with --output into a file that appears only when it is complete.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> > events.ndjson',
    '<%= config.bin %> <%= command.id %> --kind piece.judged --output verdicts.ndjson',
    '<%= config.bin %> <%= command.id %> --format bundle --output c1.bundle',
  ]
  static override flags = {
    ...logFilterFlags,
    format: Flags.option({
      options: ['ndjson', 'bundle'] as const,
      default: 'ndjson' as const,
      summary: 'Form of the output: lines of JSON, or one binary file with a checksum.',
    })(),
    output: Flags.string({ char: 'o', summary: 'Write into this file.', helpValue: 'FILE' }),
  }

  async run(): Promise<object | undefined> {
    const { flags } = await this.parse(LogExport)
    await using log = await reachLog(flags.data)
    const written = await exportLog(log, logFilter(flags), { format: flags.format, file: flags.output })
    if (flags.output === undefined) return undefined
    this.log(`${counted(written.events, 'event')} (${bytes(written.bytes)}) in ${flags.output}`)
    return { file: flags.output, ...written }
  }
}
