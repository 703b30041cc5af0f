import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { RemoteNode } from '../../control/index.ts'
import type { AddRequest, SelectRequest, TorrentRow } from '../../roles/index.ts'
import { printable } from '../render/printable.ts'
import { bytes } from '../render/units.ts'
import { followDownload } from './follow-download.ts'
import { writeLine } from './output.ts'

/** What `add`, `magnet` and `search --get` have in common. */
export const downloadFlags = {
  wait: Flags.boolean({
    allowNo: true,
    summary: 'Wait until it is complete. Default: yes in a terminal, no elsewhere and with --json.',
  }),
  to: Flags.string({ summary: "Where the files go. Default: the node's download directory.", helpValue: 'DIR' }),
  public: Flags.boolean({
    summary:
      'Find peers by its trackers, its web seeds and other peers too, who then see this address. Not for private torrents.',
  }),
  dht: Flags.boolean({ summary: 'With --public: take part in the public Mainline DHT for it too.' }),
  local: Flags.boolean({ summary: 'With --public: announce it on the local network too (BEP 14).' }),
  only: Flags.string({
    multiple: true,
    summary: "Only these files: a number, a run (3-7), a path, a name, a folder or a pattern ('*.flac'). May be repeated.",
    helpValue: 'FILES',
    exclusive: ['skip'],
  }),
  skip: Flags.string({ multiple: true, summary: 'All but these files. May be repeated.', helpValue: 'FILES' }),
  sequential: Flags.boolean({ default: false, summary: 'In the order of the files, to look at them while they come.' }),
  overwrite: Flags.boolean({
    default: false,
    summary: 'Write over files that stand where its files go and are not of this torrent. Default: say so and fail.',
  }),
}

type DownloadFlags = {
  wait?: boolean | undefined
  to?: string | undefined
  overwrite: boolean
  only?: string[] | undefined
  skip?: string[] | undefined
  sequential: boolean
  public?: boolean | undefined
  dht?: boolean | undefined
  local?: boolean | undefined
}
type Reader = { json: boolean; interactive: boolean }

/**
 * Adds a torrent and, where wanted, follows it.
 * @returns the row for `--json`; undefined where JSON lines were printed
 */
export async function download(
  { client }: RemoteNode,
  request: AddRequest,
  flags: DownloadFlags,
  { json, interactive }: Reader,
): Promise<TorrentRow | undefined> {
  const { wait, to, overwrite } = flags
  const select = selectionOf(flags)
  const row = await client.add({
    ...request,
    overwrite,
    ...(select && { select }),
    ...(flags.public && { public: true }),
    ...(flags.dht && { dht: true }),
    ...(flags.local && { local: true }),
    ...(to === undefined ? {} : { directory: resolve(to) }),
  })
  if (wait ?? interactive) {
    const done = await followDownload(client, row.infoHash, json)
    if (json) return undefined
    await writeLine(`complete: ${printable(done.name)} (${sizeText(done)}) in ${printable(done.directory)}`)
    if (done.note !== undefined) await writeLine(printable(done.note))
    return undefined
  }
  if (json) return row
  await writeLine(`added ${row.infoHash}${row.name === '' ? '' : `  ${printable(row.name)}`}`)
  if (row.note !== undefined) await writeLine(printable(row.note))
  return row
}

function selectionOf({ only, skip, sequential }: DownloadFlags): SelectRequest | undefined {
  const order = sequential ? { sequential } : {}
  if (only !== undefined) return { files: only, priority: 'normal', others: 'skip', ...order }
  if (skip !== undefined) return { files: skip, priority: 'skip', ...order }
  return sequential ? order : undefined
}

const sizeText = ({ piecesWanted, pieceCount, sizeBytes }: TorrentRow): string =>
  piecesWanted < pieceCount ? `what is wanted of ${bytes(sizeBytes)}` : bytes(sizeBytes)
