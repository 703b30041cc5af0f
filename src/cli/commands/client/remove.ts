import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'

export default class ClientRemove extends BaseCommand {
  static override summary = 'Forget a torrent.'
  static override description = 'Stops it and takes it off the list. Its files stay, unless --delete-files is given.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c12fe1c06bba254a9dc9f519b335aa7c1367a88a',
    '<%= config.bin %> <%= command.id %> c12fe1c0 --delete-files',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }
  static override flags = { 'delete-files': Flags.boolean({ default: false, summary: 'Delete what was downloaded, too.' }) }

  async run(): Promise<{ removed: string; filesDeleted: boolean }> {
    const { args, flags } = await this.parse(ClientRemove)
    const { client } = await reachNode(flags.data, 'client')
    const infoHash = await wholeInfoHash(client, args.infoHash)
    const deleteFiles = flags['delete-files']
    await client.remove(infoHash, { deleteFiles })
    this.log(`removed ${infoHash}${deleteFiles ? ' and its files' : '; its files are still there'}`)
    return { removed: infoHash, filesDeleted: deleteFiles }
  }
}
