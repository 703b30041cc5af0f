import { Flags } from '@oclif/core'
import { type MigrationPlan, ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { migrationText } from '../../render/migration.ts'
import { rebuildLine } from '../../render/progress-bar.ts'
import { duration } from '../../render/units.ts'
import { ProgressLine, withProgress } from '../../services/output.ts'
import { reachDirectory } from '../../services/reach.ts'

type Shown = { dryRun: boolean; plan: MigrationPlan; elapsedMs?: number; digests?: Record<string, string> }

export default class NodeMigrate extends BaseCommand {
  static override summary = 'Bring a stopped node up to this version before it is started.'
  static override description =
    'Tells which versions of each event kind the log holds, which steps bring older events up to date when they are read, and which projections are made again, and makes those. The log is never rewritten. A start does the same by itself; this shows it beforehand. A log of a newer version is refused with 4.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run --data ./c1',
    '<%= config.bin %> <%= command.id %> --data ./c1 --json',
  ]
  static override flags = { 'dry-run': Flags.boolean({ default: false, summary: 'Only tell what would be done.' }) }

  async run(): Promise<Shown> {
    const { flags } = await this.parse(NodeMigrate)
    const { directory, running } = await reachDirectory(flags.data)
    if (running !== undefined)
      throw new ServiceError('failed', `the node in ${directory} runs, so it is up to date: stop it to look at its stored rows`)
    const { migrateStopped, planStoppedMigration } = await import('../../../roles/compose-stopped.ts')
    if (flags['dry-run']) {
      const plan = await planStoppedMigration(directory)
      this.log(migrationText(plan))
      return { dryRun: true, plan }
    }
    const line = new ProgressLine()
    const migrated = await withProgress(
      migrateStopped(directory),
      this.jsonEnabled() ? undefined : (progress) => line.show((columns) => rebuildLine(progress, columns)),
    )
    line.end()
    this.log(`${migrationText(migrated.plan)}\n\ndone in ${duration(migrated.elapsedMs)}`)
    return { dryRun: false, ...migrated }
  }
}
