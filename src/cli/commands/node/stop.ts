import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { reachNode } from '../../services/reach.ts'
import { stopNode } from '../../services/stop-node.ts'

export default class NodeStop extends BaseCommand {
  static override summary = 'Stop a running node, and wait until it has stopped.'
  static override description = 'It says goodbye to the network and closes its log. Of any role.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./i1 --json']
  static override flags = { timeout: Flags.integer({ min: 1, default: 10, summary: 'Seconds to wait.', helpValue: 'SECONDS' }) }

  async run(): Promise<{ stopped: true; id: string; pid: number }> {
    const { flags } = await this.parse(NodeStop)
    const waitMsMax = flags.timeout * 1000
    const { node } = await reachNode(flags.data, undefined, { answerMsMax: waitMsMax })
    const { id, pid, role } = await node.status()
    await stopNode(node, pid, waitMsMax)
    this.log(`stopped ${role} node ${id}`)
    return { stopped: true, id, pid }
  }
}
