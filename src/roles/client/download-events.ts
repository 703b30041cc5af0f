import { type DownloadDescribed, type Draft, type InfoHash, PIECES_PER_VERDICT_MAX, STAMPS_MAX } from '../../events/index.ts'
import type { DiskState, TorrentMetainfo } from '../../torrent/index.ts'

// What the engine tells of a torrent, as events of the log.

export function described(metainfo: TorrentMetainfo): DownloadDescribed {
  const { infoHash, name, sizeBytes, pieceCount, pieceLengthBytes, torrentFile } = metainfo
  return { kind: 'download.described', infoHash, name, sizeBytes, pieceCount, pieceLengthBytes, torrentFile }
}

/** A full check as events; a set of pieces or stamps that is too long for one goes on in others. */
export function checked(infoHash: InfoHash, { pieces, stamps }: DiskState): Draft['event'][] {
  const [first = [], ...more] = slices(pieces, PIECES_PER_VERDICT_MAX)
  return [
    { kind: 'download.checked', infoHash, pieces: first },
    ...more.map((each): Draft['event'] => ({ kind: 'download.verified', infoHash, pieces: each })),
    ...stamped(infoHash, stamps),
  ]
}

export const stamped = (infoHash: InfoHash, stamps: DiskState['stamps']): Draft['event'][] =>
  slices(stamps, STAMPS_MAX).map((each) => ({ kind: 'download.stamped', infoHash, stamps: each }))

function slices<T>(all: readonly T[], length: number): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < all.length; at += length) parts.push(all.slice(at, at + length))
  return parts
}
