import { Args } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { download, downloadFlags } from '../../services/download-command.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientMagnet extends BaseCommand {
  static override summary = 'Download what a magnet link names, and then seed it.'
  static override description =
    'In a terminal it shows the progress until the download is complete; Ctrl-C leaves, and the node goes on. With --json it returns at once; with --json --wait it prints JSON lines, the last one with "event":"done".'
  static override examples = [
    "<%= config.bin %> <%= command.id %> 'magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a'",
  ]
  static override args = {
    uri: Args.string({ required: true, description: 'The magnet link (quote it: it has a ?), or a bare info hash.' }),
  }
  static override flags = downloadFlags

  async run(): Promise<object | undefined> {
    const { args, flags } = await this.parse(ClientMagnet)
    const node = await reachNode(flags.data, 'client')
    return download(node, { magnet: args.uri }, flags, { json: this.jsonEnabled(), interactive: this.interactive })
  }
}
