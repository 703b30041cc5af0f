import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { TorrentRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { movedText } from '../../render/torrents.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'
import { watched } from '../../services/watched.ts'

export default class ClientMove extends BaseCommand {
  static override summary = "Put a torrent's files into another folder, and go on there."
  static override description =
    'It waits while its files are moved, and then is what it was: seeding, downloading or paused. On another file system they are copied, and taken away when all are there; until then, Ctrl-C leaves everything as it was. Nothing that stands in the folder is written over.'
  static override examples = ['<%= config.bin %> <%= command.id %> c12fe1c0 --to /srv/films']
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
  }
  static override flags = {
    to: Flags.string({ required: true, helpValue: 'FOLDER', summary: "Where the torrent's file or folder is to stand." }),
  }

  async run(): Promise<TorrentRow> {
    const { args, flags } = await this.parse(ClientMove)
    const { client } = await reachNode(flags.data, 'client')
    const hash = await wholeInfoHash(client, args.infoHash)
    const work = client.move(hash, { directory: resolve(flags.to) })
    const row = await watched(work, `moving ${hash.slice(0, 16)}`, !this.jsonEnabled())
    this.log(movedText(row))
    return row
  }
}
