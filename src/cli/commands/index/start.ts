import { BaseCommand } from '../../base-command.ts'
import { plainScreen } from '../../services/plain-screen.ts'
import { start } from '../../services/start-command.ts'
import { startFlags } from '../../services/start-flags.ts'

export default class IndexStart extends BaseCommand {
  static override summary = 'Run an index node in the foreground.'
  static override description =
    'Keeps its share of the keyword index and answers searches. It stops on SIGTERM or Ctrl-C, and when its terminal is closed or nobody reads its output. The network it joins and its flags are remembered: later starts need none.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --join p2pt:... --data ./i1',
    '<%= config.bin %> <%= command.id %> --data ./i1 --json',
  ]
  static override flags = startFlags('index')

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(IndexStart)
    await start('index', flags, raw, plainScreen(this.jsonEnabled()))
  }
}
