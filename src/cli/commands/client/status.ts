import { Flags } from '@oclif/core'
import type { ClientStatus } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { ratesText } from '../../render/limits.ts'
import { nodeStatusText } from '../../render/node.ts'
import { refusalText, torrentTable, whyTable } from '../../render/torrents.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientStatusCommand extends BaseCommand {
  static override summary = 'Show the client and its torrents.'
  static override description = 'What it downloads and seeds, how far, how fast, and how the node itself is.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --data ./c1 --json']

  static override flags = {
    why: Flags.boolean({ summary: 'Say of each torrent why it is at work, or waits.' }),
  }

  async run(): Promise<ClientStatus> {
    const { flags } = await this.parse(ClientStatusCommand)
    const { client } = await reachNode(flags.data, 'client')
    const status = await client.clientStatus()
    const torrents = flags.why ? whyTable(status.torrents) : torrentTable(status.torrents)
    this.log(
      `${nodeStatusText(status.node, Date.now())}\n\n${ratesText(status.limits)}${refusalText(status.refused)}${torrents}`,
    )
    return status
  }
}
