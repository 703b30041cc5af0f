import { randomUUID } from 'node:crypto'
import { lstat, rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { ServiceError } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { printable } from '../../render/printable.ts'
import { wholeInfoHash } from '../../services/prefix.ts'
import { reachNode } from '../../services/reach.ts'
import { fileNameOf } from '../../services/torrent-file.ts'

/** Writes a file, or nothing: what was there stays where it fails. @throws Error with `EEXIST` if it is there, unless it is to be written over */
async function writeWhole(file: string, bytes: Uint8Array, overwrites: boolean): Promise<void> {
  if (!overwrites && (await lstat(file).catch(() => undefined)) !== undefined)
    throw Object.assign(new Error(`${file} is there`), { code: 'EEXIST' })
  // A name that is nobody's: what a person keeps beside it stays.
  const draft = `${file}.${randomUUID()}.part`
  try {
    await writeFile(draft, bytes, { flag: 'wx' })
    await rename(draft, file)
  } catch (cause) {
    await rm(draft, { force: true })
    throw cause
  }
}

export default class ClientExport extends BaseCommand {
  static override summary = 'Write the torrent file of a torrent.'
  static override description =
    'For other clients: with its trackers and web seeds. A file that is there already is not written over without --force.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> c12fe1c0',
    '<%= config.bin %> <%= command.id %> c12fe1c0 /tmp/film.torrent',
  ]
  static override args = {
    infoHash: Args.string({ name: 'INFOHASH', required: true, description: 'Its info hash, or the start of it.' }),
    file: Args.string({ description: 'Where to. Default: its name, in this folder.' }),
  }
  static override flags = { force: Flags.boolean({ summary: 'Write over a file that is there.' }) }

  async run(): Promise<{ file: string; bytes: number }> {
    const { args, flags } = await this.parse(ClientExport)
    const { client } = await reachNode(flags.data, 'client')
    const { name, torrentFile } = await client.torrentFile(await wholeInfoHash(client, args.infoHash))
    const file = resolve(args.file ?? fileNameOf(name))
    const bytes = Buffer.from(torrentFile, 'base64')
    try {
      await writeWhole(file, bytes, flags.force)
    } catch (cause) {
      const { code, message } = cause as { code?: unknown; message: string }
      const why = code === 'EEXIST' ? 'it is there already: give another name, or --force' : message
      throw new ServiceError('failed', `${file} was not written: ${why}`, { cause })
    }
    this.log(`wrote ${printable(file)}`)
    return { file, bytes: bytes.length }
  }
}
