import { Flags } from '@oclif/core'
import type { NodeStatus } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { nodeStatusText } from '../../render/node.ts'
import { reachNode } from '../../services/reach.ts'
import { requireReady } from '../../services/readiness.ts'

export default class NodeStatusCommand extends BaseCommand {
  static override summary = 'Show how a running node is.'
  static override description =
    'Of any role. With --check it exits 0 only if the node is ready, for the health check of a container.'
  static override examples = ['<%= config.bin %> <%= command.id %> --data ./c1', '<%= config.bin %> <%= command.id %> --check']
  static override flags = {
    check: Flags.boolean({ default: false, summary: 'Exit 1 unless the node is ready and answers in time.' }),
  }

  async run(): Promise<NodeStatus> {
    const { flags } = await this.parse(NodeStatusCommand)
    const { node } = await reachNode(flags.data)
    const status = flags.check ? await requireReady(node) : await node.status()
    this.log(flags.check ? 'ready' : nodeStatusText(status, Date.now()))
    return status
  }
}
