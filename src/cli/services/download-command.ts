import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { RemoteNode } from '../../control/index.ts'
import type { AddRequest, TorrentRow } from '../../roles/index.ts'
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
  overwrite: Flags.boolean({
    default: false,
    summary: 'Write over files that stand where its files go and are not of this torrent. Default: say so and fail.',
  }),
}

type DownloadFlags = { wait?: boolean | undefined; to?: string | undefined; overwrite: boolean }
type Reader = { json: boolean; interactive: boolean }

/**
 * Adds a torrent and, where wanted, follows it.
 * @returns the row for `--json`; undefined where JSON lines were printed
 */
export async function download(
  { client }: RemoteNode,
  request: AddRequest,
  { wait, to, overwrite }: DownloadFlags,
  { json, interactive }: Reader,
): Promise<TorrentRow | undefined> {
  const row = await client.add({ ...request, overwrite, ...(to === undefined ? {} : { directory: resolve(to) }) })
  if (wait ?? interactive) {
    const done = await followDownload(client, row.infoHash, json)
    if (json) return undefined
    await writeLine(`complete: ${printable(done.name)} (${bytes(done.sizeBytes)}) in ${printable(done.directory)}`)
    if (done.note !== undefined) await writeLine(printable(done.note))
    return undefined
  }
  if (json) return row
  await writeLine(`added ${row.infoHash}${row.name === '' ? '' : `  ${printable(row.name)}`}`)
  if (row.note !== undefined) await writeLine(printable(row.note))
  return row
}
