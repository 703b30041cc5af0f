import {
  type DownloadAdded,
  type Envelope,
  fromHex,
  type InfoHash,
  isInfoHash,
  type NodeId,
  type PieceRange,
  toHex,
} from '../../events/index.ts'
import { canonicalJson } from '../canonical-json.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'
import { mergeRanges } from './piece-ranges.ts'

// What this node downloads and shares, as a fold over its own events: all that a client needs to go on after a restart.

export type Download = {
  readonly infoHash: InfoHash
  name: string
  /** What it is found by: as it was found or published, else its name; empty until either is known. */
  title: string
  readonly directory: string
  readonly origin: DownloadAdded['origin']
  readonly magnet: string
  /** The metainfo, bencoded; undefined until it is known. */
  torrentFile: Uint8Array | undefined
  /** 0 until the metainfo is known, as are the next two. */
  sizeBytes: number
  pieceCount: number
  pieceLengthBytes: number
  paused: boolean
  completed: boolean
  /** Pieces on the disk whose hash was checked: ascending runs with gaps between them. */
  verified: readonly PieceRange[]
  /** Claimed time of the event that added it, ms since 1970. */
  readonly addedAt: number
}

export type DownloadsState = {
  readonly downloads: Map<InfoHash, Download>
  readonly dirty: DirtyKeys
}

// The metainfo has a row of its own, written once: progress must not rewrite a megabyte.
const DOWNLOAD = 'd/'
const METAINFO = 'm/'

function apply(own: NodeId, state: DownloadsState, envelope: Envelope): DownloadsState {
  // A stranger's signed `download.*` must not add files here.
  if (envelope.author !== own) return state
  const { event } = envelope
  const { downloads, dirty } = state
  if (event.kind === 'download.added') {
    const { infoHash, name, title, directory, origin, magnet, torrentFile } = event
    const before = downloads.get(infoHash)
    downloads.set(infoHash, {
      ...{ infoHash, name, directory, origin, magnet },
      // A bare magnet has no name but its info hash.
      title: title === infoHash ? '' : title,
      torrentFile: torrentFile.length > 0 ? torrentFile : before?.torrentFile,
      sizeBytes: before?.sizeBytes ?? 0,
      pieceCount: before?.pieceCount ?? 0,
      pieceLengthBytes: before?.pieceLengthBytes ?? 0,
      paused: false,
      completed: false,
      // Another directory holds nothing yet.
      verified: before?.directory === directory ? before.verified : [],
      addedAt: envelope.at,
    })
    dirty.add(DOWNLOAD + infoHash)
    dirty.add(METAINFO + infoHash)
    return state
  }
  if (!('infoHash' in event)) return state
  const download = downloads.get(event.infoHash)
  // After a removal the engine may still tell of pieces; they are nobody's.
  if (download === undefined) return state
  switch (event.kind) {
    case 'download.described':
      download.name = event.name
      if (download.title === '') download.title = event.name
      download.sizeBytes = event.sizeBytes
      download.pieceCount = event.pieceCount
      download.pieceLengthBytes = event.pieceLengthBytes
      if (event.torrentFile.length > 0) download.torrentFile = event.torrentFile
      dirty.add(METAINFO + event.infoHash)
      break
    case 'download.verified':
      download.verified = mergeRanges(download.verified, event.pieces)
      break
    case 'download.completed':
      download.completed = true
      break
    case 'download.paused':
      download.paused = true
      break
    case 'download.resumed':
      download.paused = false
      break
    case 'download.removed':
      downloads.delete(event.infoHash)
      dirty.add(METAINFO + event.infoHash)
      break
    default:
      return state
  }
  dirty.add(DOWNLOAD + event.infoHash)
  return state
}

function rowOf(state: DownloadsState, key: string): string | null {
  const download = state.downloads.get(key.slice(2) as InfoHash)
  if (download === undefined) return null
  const { torrentFile, ...rest } = download
  if (key.startsWith(METAINFO)) return torrentFile === undefined ? null : JSON.stringify(toHex(torrentFile))
  return canonicalJson(rest)
}

export const downloadsProjection = (own: NodeId): Projection<DownloadsState> => ({
  name: 'downloads',
  version: 2,
  handles: [
    'download.added',
    'download.described',
    'download.verified',
    'download.completed',
    'download.paused',
    'download.resumed',
    'download.removed',
  ],
  initial: () => ({ downloads: new Map(), dirty: new DirtyKeys() }),
  apply: (state, envelope) => apply(own, state, envelope),
  changes: (state) => state.dirty.drain((key) => rowOf(state, key)),
  *rows(state) {
    const hashes = [...state.downloads.keys()].sort()
    for (const prefix of [DOWNLOAD, METAINFO]) {
      for (const hash of hashes) {
        const row = rowOf(state, prefix + hash)
        if (row !== null) yield [prefix + hash, row]
      }
    }
  },
  load(rows) {
    const downloads = new Map<InfoHash, Download>()
    for (const [key, value] of rows) {
      const hash = key.slice(2)
      if (!isInfoHash(hash)) throw new RangeError(`a row of downloads is for no info hash: ${key}`)
      if (key.startsWith(DOWNLOAD)) {
        downloads.set(hash, { ...(JSON.parse(value) as Omit<Download, 'torrentFile'>), torrentFile: undefined })
      } else {
        const download = downloads.get(hash)
        if (download !== undefined) download.torrentFile = fromHex(JSON.parse(value) as string)
      }
    }
    return { downloads, dirty: new DirtyKeys() }
  },
})

/** All downloads, oldest first. */
export function downloadsIn(state: DownloadsState): Download[] {
  return [...state.downloads.values()].sort((a, b) => a.addedAt - b.addedAt || (a.infoHash < b.infoHash ? -1 : 1))
}
