import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { ownerFlags, ownerFolder, revocationTarget } from '../../services/owner.ts'
import { reachNode } from '../../services/reach.ts'

export default class NetworkRevoke extends BaseCommand {
  static override summary = 'Take an admission back: of one node, or of an invitation and every node that it admitted.'
  static override description =
    "Needs the owner's key and a running node of the network, which tells the others. For good: nodes that are to come back need a new invitation, and one that was revoked itself a new key."
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f9a2c',
    '<%= config.bin %> <%= command.id %> guest --reason "has left us" --data ./client',
  ]
  static override args = {
    target: Args.string({
      required: true,
      description: 'The key of a node or an invitation (its beginning is enough), or the name of an invitation.',
    }),
  }
  static override flags = { ...ownerFlags, reason: Flags.string({ default: '', summary: 'Why, for everybody to read.' }) }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(NetworkRevoke)
    const { node } = await reachNode(flags.data)
    const { key, what, nodes } = revocationTarget(await node.network(), args.target)
    const { revocation, ownerSignature } = ownerFolder(flags).revoke(key, flags.reason)
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
    await node.revoke(base64(revocation), base64(ownerSignature))
    this.log(`revoked ${what}: ${nodes === 1 ? '1 node is' : `${nodes} nodes are`} admitted no more`)
    return { key, nodes, reason: flags.reason }
  }
}
