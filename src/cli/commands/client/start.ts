import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { plainScreen } from '../../services/plain-screen.ts'
import { start } from '../../services/start-command.ts'
import { clientStartFlags, startFlags } from '../../services/start-flags.ts'

export default class ClientStart extends BaseCommand {
  static override summary = 'Run a client node in the foreground; in a terminal, with a prompt.'
  static override description =
    'Publishes, searches, downloads and shares. In a terminal it opens a prompt (type help there); elsewhere it prints a line for each thing that happens. It stops on SIGTERM, Ctrl-C or `quit`, and when its terminal is closed or nobody reads its output. The network it joins and its flags are remembered: later starts need none, and a flag that is given replaces what was kept (an empty one, such as --metrics "", forgets it).'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --join p2pt:... --downloads ~/Downloads --upload-limit 2MB',
    '<%= config.bin %> <%= command.id %>',
  ]
  static override flags = {
    ...startFlags('client'),
    ...clientStartFlags,
    prompt: Flags.boolean({ allowNo: true, summary: 'Open the prompt. Default: yes in a terminal.' }),
  }

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(ClientStart)
    const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true
    const prompt = flags.prompt ?? terminal
    if (prompt && !this.jsonEnabled()) {
      const { promptScreen } = await import('../../repl/prompt-screen.ts')
      await start('client', flags, raw, promptScreen(process.stdin, process.stdout))
    } else await start('client', flags, raw, plainScreen(this.jsonEnabled()))
  }
}
