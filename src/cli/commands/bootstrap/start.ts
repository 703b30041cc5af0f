import { BaseCommand } from '../../base-command.ts'
import { plainScreen } from '../../services/plain-screen.ts'
import { start } from '../../services/start-command.ts'
import { startFlags } from '../../services/start-flags.ts'

export default class BootstrapStart extends BaseCommand {
  static override summary = 'Run a bootstrap node in the foreground.'
  static override description =
    'An entry point of the network: it helps nodes find each other and watches who is alive. Name the other bootstrap nodes with --bootstrap; the first one needs none. It stops on SIGTERM or Ctrl-C, and when its terminal is closed or nobody reads its output.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --host 203.0.113.5 --port 4700',
    '<%= config.bin %> <%= command.id %> --data ./b2 --bootstrap 203.0.113.5:4700',
  ]
  static override flags = startFlags('bootstrap')

  async run(): Promise<void> {
    const { flags } = await this.parse(BootstrapStart)
    await start('bootstrap', flags, plainScreen(this.jsonEnabled()))
  }
}
