import type { TorrentState, TorrentStatus } from './engine.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/** Below this a rate is noise and gives no time. */
const RATE_MIN = 1

export function statusOf(entry: TorrentEntry, swarm: Swarm | undefined): TorrentStatus {
  const atRest = entry.describeAtRest(stateOf(entry, swarm))
  if (swarm === undefined) return atRest
  const { downloadedBytes, uploadedBytes, downloadBytesPerSecond: rate, uploadBytesPerSecond } = swarm.status
  const missingBytes = (entry.piecesWanted - entry.piecesWantedVerified) * atRest.pieceLengthBytes
  return {
    ...atRest,
    downloadedBytes: entry.downloadedBytes + downloadedBytes,
    uploadedBytes: entry.uploadedBytes + uploadedBytes,
    downloadBytesPerSecond: Math.round(rate),
    uploadBytesPerSecond: Math.round(uploadBytesPerSecond),
    timeLeftMs: entry.complete
      ? 0
      : !entry.hasMetainfo || rate < RATE_MIN
        ? undefined
        : Math.round((missingBytes / rate) * 1000),
    peers: swarm.peers(),
  }
}

function stateOf(entry: TorrentEntry, swarm: Swarm | undefined): TorrentState {
  if (entry.recheck !== undefined) return 'checking'
  if (entry.move !== undefined) return 'moving'
  if (entry.problem !== undefined) return 'failed'
  if (entry.atRest !== undefined) return entry.atRest.isChecked ? 'seeding' : 'checking'
  if (swarm === undefined) return 'paused'
  if (!entry.hasMetainfo) return 'fetching-metadata'
  const { isReady, isDone } = swarm.status
  if (!isReady) return 'checking'
  return isDone ? 'seeding' : 'downloading'
}
