import type { TorrentState, TorrentStatus } from './engine.ts'
import type { Swarm } from './swarm.webtorrent.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/** Below this a rate is noise and gives no time. */
const RATE_MIN = 1

export function statusOf(entry: TorrentEntry, swarm: Swarm | undefined): TorrentStatus {
  const atRest = entry.describeAtRest(stateOf(entry, swarm))
  if (swarm === undefined) return atRest
  const { torrent } = swarm
  const rate = torrent.downloadSpeed
  const missingBytes = (entry.pieceCount - entry.piecesVerified) * atRest.pieceLengthBytes
  return {
    ...atRest,
    downloadedBytes: entry.downloadedBytes + torrent.received,
    uploadedBytes: entry.uploadedBytes + torrent.uploaded,
    downloadBytesPerSecond: Math.round(rate),
    uploadBytesPerSecond: Math.round(torrent.uploadSpeed),
    timeLeftMs: entry.complete
      ? 0
      : entry.metainfo === undefined || rate < RATE_MIN
        ? undefined
        : Math.round((missingBytes / rate) * 1000),
    peers: [...swarm.sessions].map((session) => session.describe(entry.pieceCount, swarm.onParole(session.id))),
  }
}

function stateOf(entry: TorrentEntry, swarm: Swarm | undefined): TorrentState {
  if (entry.recheck !== undefined) return 'checking'
  if (entry.problem !== undefined) return 'failed'
  if (swarm === undefined) return 'paused'
  if (entry.metainfo === undefined) return 'fetching-metadata'
  if (!swarm.torrent.ready) return 'checking'
  return swarm.torrent.done ? 'seeding' : 'downloading'
}
