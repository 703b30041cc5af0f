import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { BackupResult } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { stepLine } from '../../render/progress-bar.ts'
import { count } from '../../render/units.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachDirectory } from '../../services/reach.ts'

export default class NodeBackup extends BaseCommand {
  static override summary = 'Copy a node, running or stopped, to another directory: log and key.'
  static override description =
    'A copy of one moment, which `log verify` finds intact. It holds the secret key of the node: keep it as safe as the node itself. To restore it, start the node with --data on the copy (or on a copy of the copy), and never beside the original. It then first asks its peers what it said after the backup was made, so that it uses no number of its own twice.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --output /backup/c1',
    '<%= config.bin %> <%= command.id %> --data ./c1 --output ./c1-copy --json',
  ]
  static override flags = {
    output: Flags.string({
      char: 'o',
      required: true,
      summary: 'Directory to make; nothing may be in it yet.',
      helpValue: 'DIR',
    }),
  }

  async run(): Promise<BackupResult> {
    const { flags } = await this.parse(NodeBackup)
    const output = resolve(flags.output)
    const { directory, running } = await reachDirectory(flags.data)
    const work =
      running === undefined
        ? (await import('../../../roles/compose-stopped.ts')).backUpStopped(directory, output)
        : running.node.backup({ directory: output })
    const line = new ProgressLine()
    const result = await withProgress(
      work,
      this.jsonEnabled() ? undefined : ({ done, total }) => line.show((columns) => stepLine('copying', done, total, columns)),
    )
    line.end()
    this.log(
      `the log up to event ${count(result.head)} and the key are in ${result.directory}\nhead digest ${result.headDigest}`,
    )
    return result
  }
}
