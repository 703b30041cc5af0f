import { countInBoth, type Download, pieceCount } from '../../projections/downloads/index.ts'
import type { TorrentStatus } from '../../torrent/index.ts'
import { magnetOf } from '../magnet.ts'
import type { TorrentRow } from '../services.ts'

export type RowFacts = {
  problem: string | null
  /** What a person should know of its files. */
  note: string | undefined
  /** Why it waits; undefined if it does not. */
  held: string | undefined
  why: string
  /** Ever. */
  moved: { downloadedBytes: number; uploadedBytes: number }
  /** Peers that offer it and could not be reached. */
  unreached(): number
}

/** A torrent as it is shown: by the log, and by the engine where that has it. */
export function torrentRow(download: Download, live: TorrentStatus | undefined, facts: RowFacts): TorrentRow {
  const { infoHash, name, title, origin, directory, sizeBytes, verified, wanted, selection, limits, magnet } = download
  const { problem, note, held, why, moved, unreached } = facts
  const isAlone = live?.peers.length === 0 && live.state !== 'seeding'
  return {
    ...{ infoHash, name, state: stateOf(download, live, held), why, problem, origin, directory, sizeBytes },
    pieceCount: download.pieceCount,
    piecesVerified: pieceCount(verified),
    piecesWanted: wanted === null ? download.pieceCount : pieceCount(wanted),
    piecesWantedVerified: wanted === null ? pieceCount(verified) : countInBoth(verified, wanted),
    sequential: selection?.sequential ?? false,
    ...moved,
    downloadBytesPerSecond: live?.downloadBytesPerSecond ?? 0,
    uploadBytesPerSecond: live?.uploadBytesPerSecond ?? 0,
    timeLeftMs: live?.timeLeftMs ?? null,
    peers: live?.peers.length ?? 0,
    unreached: isAlone ? unreached() : 0,
    limits,
    corruptPercent: live?.corruptPercent ?? 0,
    magnet: magnet || magnetOf(infoHash, title || name),
    ...(note === undefined ? {} : { note }),
  }
}

function stateOf(download: Download, live: TorrentStatus | undefined, held: string | undefined): TorrentRow['state'] {
  if (download.paused) return 'paused'
  if (held !== undefined && live?.state === 'paused') return 'queued'
  return live?.state ?? 'failed'
}
