import { BaseCommand } from '../../base-command.ts'
import { plainScreen } from '../../services/plain-screen.ts'
import { start } from '../../services/start-command.ts'
import { startFlags } from '../../services/start-flags.ts'

export default class IndexStart extends BaseCommand {
  static override summary = 'Run an index node in the foreground.'
  static override description =
    'Keeps its share of the keyword index and answers searches. It stops on SIGTERM or Ctrl-C, and when its terminal is closed or nobody reads its output.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --bootstrap 203.0.113.5:4700',
    'P2PT_BOOTSTRAP=203.0.113.5:4700,203.0.113.6:4700 <%= config.bin %> <%= command.id %> --data ./i1 --json',
  ]
  static override flags = startFlags('index')

  async run(): Promise<void> {
    const { flags } = await this.parse(IndexStart)
    await start('index', flags, plainScreen(this.jsonEnabled()))
  }
}
