import type { ClientService, TorrentRow } from '../../roles/index.ts'
import { stepLine } from '../render/progress-bar.ts'
import { bytes } from '../render/units.ts'
import { ProgressLine, withProgress } from './output.ts'

/**
 * Has everything of a torrent hashed again.
 * @param show draws progress on stderr
 */
export async function recheck(client: ClientService, infoHash: string, show: boolean): Promise<TorrentRow> {
  const line = new ProgressLine()
  try {
    return await withProgress(
      client.recheck(infoHash),
      show
        ? ({ done, total }) =>
            line.show((columns) => stepLine(`checking ${infoHash.slice(0, 16)}`, done, total, columns, bytes))
        : undefined,
    )
  } finally {
    line.end()
  }
}
