import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { revokedEarlierText, revokedText } from '../../render/network.ts'
import { ownerFlags, ownerFolder, ownerFolderOf } from '../../services/owner.ts'
import { reachNode } from '../../services/reach.ts'
import { revocationTarget } from '../../services/revocation-target.ts'

export default class NetworkRevoke extends BaseCommand {
  static override summary = 'Take an admission back: of one node, or of an invitation and every node that it admitted.'
  static override description =
    "Needs the owner's key and a running node of the network, which tells the others. For good: nodes that are to come back need a new invitation, and one that was revoked itself a new key."
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f9a2c41',
    '<%= config.bin %> <%= command.id %> guest --reason "has left us" --data ./client',
  ]
  static override args = {
    target: Args.string({
      required: true,
      description:
        'The key of a node or an invitation (its first 8 digits or more), or the name or the join string of an invitation.',
    }),
  }
  static override flags = { ...ownerFlags, reason: Flags.string({ default: '', summary: 'Why, for everybody to read.' }) }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(NetworkRevoke)
    const { node } = await reachNode(flags.data)
    const view = await node.network()
    const folder = ownerFolderOf(view, flags) ?? ownerFolder(flags)
    const target = revocationTarget(view, folder.invitations(), args.target)
    const { key, kind, name } = target
    const earlier = view.revoked.find((row) => row.key === key)
    if (earlier !== undefined) {
      this.log(revokedEarlierText(target, earlier.at))
      return { key, kind, name, nodes: 0, reason: earlier.reason, already: true }
    }
    const { revocation, ownerSignature } = folder.revoke(key, flags.reason)
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
    await node.revoke(base64(revocation), base64(ownerSignature))
    const nodes = view.admitted.filter((row) => row.state === 'admitted' && (row.node === key || row.invitation === key)).length
    this.log(revokedText(target, nodes))
    return { key, kind, name, nodes, reason: flags.reason, already: false }
  }
}
