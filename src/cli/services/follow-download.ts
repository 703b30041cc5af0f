import { type ClientService, ServiceError, type TorrentRow } from '../../roles/index.ts'
import { downloadLine } from '../render/progress-bar.ts'
import { ProgressLine, writeLine } from './output.ts'

/**
 * Shows a download until it is complete: a bar in a terminal, a line now and then elsewhere, JSON lines with `json`.
 * @throws ServiceError `failed` if it ends without being complete
 */
export async function followDownload(
  client: ClientService,
  infoHash: string,
  json: boolean,
  output: NodeJS.WriteStream = process.stdout,
): Promise<TorrentRow> {
  const rows = client.follow(infoHash)
  const line = new ProgressLine(output)
  for (;;) {
    const step = await rows.next()
    if (step.done !== true) {
      const row = step.value
      if (json) await writeLine(JSON.stringify({ event: 'progress', ...row }), output)
      else line.show((columns) => downloadLine(row, columns))
      continue
    }
    const row = step.value
    if (!json) {
      line.show((columns) => downloadLine(row, columns))
      line.end()
    }
    if (row.state === 'failed') throw new ServiceError('failed', `the download failed: ${row.problem ?? 'for no known reason'}`)
    const complete = row.state === 'seeding' || (row.pieceCount > 0 && row.piecesWantedVerified >= row.piecesWanted)
    if (!complete) throw new ServiceError('failed', 'the download was removed before it was complete')
    if (json) await writeLine(JSON.stringify({ event: 'done', ...row }), output)
    return row
  }
}
