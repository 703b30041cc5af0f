import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { ImportResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { count, counted } from '../../render/units.ts'
import { dataDirectory } from '../../services/data-directory.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'

const ROLES = ['bootstrap', 'index', 'client'] as const

export default class LogImport extends BaseCommand {
  static override summary = 'Take the events of an export into the log of a stopped node, or of a new one.'
  static override description =
    'Reads both forms that `log export` writes. Every signature is checked before the first event is stored: a file with a forged event, or one that differs from the one the log holds under its name, is refused with 4 and changes nothing. Events that are there already are passed over and counted. Private events belong to their node alone: give its key with --key to move it, or leave them out with --without-private. A moved node first asks its peers what it said after the export, as one restored from a backup does. An import that was cut off is finished by running it again.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c1.bundle --data ./c2 --without-private',
    '<%= config.bin %> <%= command.id %> c1.bundle --data ./moved --role client --key ./c1/key.seed',
  ]
  static override args = { file: Args.string({ required: true, description: 'What `log export` wrote.' }) }
  static override flags = {
    role: Flags.option({ options: ROLES, summary: 'What the node is, where there is none yet.' })(),
    key: Flags.string({
      summary: 'File with the key of the node, where there is none yet. Default: a new key.',
      helpValue: 'FILE',
    }),
    'allow-partial': Flags.boolean({
      default: false,
      summary: 'Take NDJSON without its last line, made by hand or by an older version, or only a part of an export.',
    }),
    'without-private': Flags.boolean({ default: false, summary: 'Leave out private events of other nodes.' }),
  }

  async run(): Promise<ImportResult> {
    const { args, flags } = await this.parse(LogImport)
    const { importLog } = await import('../../../roles/compose-import.ts')
    const { role, key } = flags
    const work = importLog(dataDirectory(flags.data), {
      file: resolve(args.file),
      withoutPrivate: flags['without-private'],
      allowPartial: flags['allow-partial'],
      ...(role === undefined ? {} : { role }),
      ...(key === undefined ? {} : { keyFile: resolve(key) }),
    })
    const line = new ProgressLine()
    const result = await withProgress(
      work,
      this.jsonEnabled() ? undefined : ({ phase, done }) => line.show(() => `${phase} ${count(done)} events`),
    ).finally(() => line.end())
    const left = [
      `${count(result.duplicates)} there already`,
      ...(result.privateLeftOut > 0 ? [`${count(result.privateLeftOut)} private to others`] : []),
      ...(result.deferred > 0 ? [`${count(result.deferred)} with too many holes below them`] : []),
    ]
    this.log(`${counted(result.stored, 'event')} imported into ${result.role} node ${result.id} (${left.join(', ')})`)
    return result
  }
}
