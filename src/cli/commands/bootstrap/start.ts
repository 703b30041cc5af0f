import { BaseCommand } from '../../base-command.ts'
import { plainScreen } from '../../services/plain-screen.ts'
import { start } from '../../services/start-command.ts'
import { startFlags } from '../../services/start-flags.ts'

export default class BootstrapStart extends BaseCommand {
  static override summary = 'Run a bootstrap node in the foreground.'
  static override description =
    'An entry point of the network: it helps nodes find each other and watches who is alive. It finds the others by its join string, which may name itself as well. It stops on SIGTERM or Ctrl-C, and when its terminal is closed or nobody reads its output. The network it joins and its flags are remembered: later starts need none.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --join p2pt:... --host 203.0.113.5 --port 4700',
    '<%= config.bin %> <%= command.id %> --network herbarium --data ./b2 --port 4702',
  ]
  static override flags = startFlags('bootstrap')

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(BootstrapStart)
    await start('bootstrap', flags, raw, plainScreen(this.jsonEnabled()))
  }
}
