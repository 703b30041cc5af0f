import {
  type ClientSettings,
  type DownloadAdded,
  type Envelope,
  type FileChange,
  type FileSelection,
  fromHex,
  type InfoHash,
  isInfoHash,
  type NameOnDisk,
  NO_SOURCES,
  type NodeId,
  type PieceRange,
  type Rates,
  type SeedGoals,
  type TorrentSources,
  toHex,
} from '../../events/index.ts'
import { canonicalJson } from '../canonical-json.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'
import { covers, mergeRanges } from './piece-ranges.ts'

// What this node downloads and shares, as a fold over its own events: all that a client needs to go on after a restart.

export type Download = {
  readonly infoHash: InfoHash
  name: string
  /** What it is found by: as it was found or published, else its name; empty until either is known. */
  title: string
  directory: string
  readonly origin: DownloadAdded['origin']
  readonly magnet: string
  /** The metainfo, bencoded; undefined until it is known. */
  torrentFile: Uint8Array | undefined
  /** 0 until the metainfo is known, as are the next two. */
  sizeBytes: number
  pieceCount: number
  pieceLengthBytes: number
  paused: boolean
  /** Every wanted piece is here. */
  completed: boolean
  /** Claimed time at which it was, ms since 1970; null until then. */
  completedAt: number | null
  /** What stood on the disk when it was added was hashed. Until then nobody knows whose those files are. */
  checked: boolean
  /** Files in the way are written over. */
  readonly overwrite: boolean
  /** Pieces on the disk whose hash was checked: ascending runs with gaps between them. */
  verified: readonly PieceRange[]
  /** Which files are wanted; null: all, in no order. */
  selection: FileSelection | null
  /** The pieces with wanted bytes, as runs; null: all. */
  wanted: readonly PieceRange[] | null
  /** Of this torrent alone; 0: none. */
  limits: Rates & SeedGoals
  sources: TorrentSources
  /** Moved in all, as far as it was told. */
  downloadedBytes: number
  uploadedBytes: number
  /** What its files are called on the disk where that is not as in the torrent, as {@link NameOnDisk} has it. */
  names: ReadonlyMap<number | null, string>
  /** While it may also stand in another place: where it goes or, if `isDone`, where it came from. Names that differ there. */
  move: { directory: string; names: NameOnDisk[]; isDone: boolean } | null
  /** How settled files looked, by their place in the torrent. */
  stamps: Map<number, string>
  /** What somebody else did to a file of it, until it is checked again. */
  changed: FileChange | null
  /** Claimed time of the event that added it, ms since 1970. */
  readonly addedAt: number
}

export type DownloadsState = {
  settings: ClientSettings
  readonly downloads: Map<InfoHash, Download>
  readonly dirty: DirtyKeys
}

// The metainfo has a row of its own, written once: progress must not rewrite a megabyte.
const DOWNLOAD = 'd/'
const METAINFO = 'm/'
/** Stamps of `STAMPS_PER_ROW` files, as `s/<info hash>/<n>`: a torrent may have 65,536 files, which settle one by one. */
const STAMPS = 's/'
/** Names on the disk, where a torrent has some of its own. */
const NAMES = 'n/'
/** Limits and queue of the client: one row. */
const SETTINGS = 'c'
const STAMPS_PER_ROW = 512
const INFO_HASH_LENGTH = 40

const NO_LIMITS = { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, ratioGoalPercent: 0, seedGoalMs: 0 }
/** Nothing is limited. */
export const NO_SETTINGS: ClientSettings = {
  ...NO_LIMITS,
  localDownloadBytesPerSecond: 0,
  localUploadBytesPerSecond: 0,
  remoteDownloadBytesPerSecond: 0,
  remoteUploadBytesPerSecond: 0,
  connectionsMax: 0,
  uploadSlots: 0,
  downloadsMax: 0,
  seedsMax: 0,
  schedule: [],
}

/** Of the rows that these files' stamps are in, each once. */
function stampsKeys(infoHash: InfoHash, files: Iterable<number>): string[] {
  const rows = new Set<number>()
  for (const file of files) rows.add(Math.floor(file / STAMPS_PER_ROW))
  return [...rows].map((row) => `${STAMPS}${infoHash}/${row}`)
}

function apply(own: NodeId, state: DownloadsState, envelope: Envelope): DownloadsState {
  // A stranger's signed `download.*` must not add files here.
  if (envelope.author !== own) return state
  const { event } = envelope
  const { downloads, dirty } = state
  if (event.kind === 'download.added') {
    const { infoHash, name, title, directory, origin, magnet, torrentFile, overwrite } = event
    const before = downloads.get(infoHash)
    const stays = before?.directory === directory
    downloads.set(infoHash, {
      ...{ infoHash, name, directory, origin, magnet, overwrite },
      // A bare magnet has no name but its info hash.
      title: title === infoHash ? '' : title,
      torrentFile: torrentFile.length > 0 ? torrentFile : before?.torrentFile,
      sizeBytes: before?.sizeBytes ?? 0,
      pieceCount: before?.pieceCount ?? 0,
      pieceLengthBytes: before?.pieceLengthBytes ?? 0,
      paused: false,
      completed: false,
      completedAt: null,
      selection: before?.selection ?? null,
      wanted: before?.wanted ?? null,
      limits: before?.limits ?? NO_LIMITS,
      sources: before?.sources ?? NO_SOURCES,
      downloadedBytes: before?.downloadedBytes ?? 0,
      uploadedBytes: before?.uploadedBytes ?? 0,
      // Another directory holds nothing yet.
      checked: stays && before.checked,
      verified: stays ? before.verified : [],
      stamps: stays ? before.stamps : new Map(),
      changed: null,
      // What is added stands under the torrent's own names.
      names: new Map(),
      move: null,
      addedAt: envelope.at,
    })
    dirty.add(DOWNLOAD + infoHash)
    dirty.add(METAINFO + infoHash)
    if (before?.names.size) dirty.add(NAMES + infoHash)
    if (!stays) for (const key of stampsKeys(infoHash, before?.stamps.keys() ?? [])) dirty.add(key)
    return state
  }
  if (event.kind === 'client.configured') {
    const { kind: _, ...settings } = event
    state.settings = settings
    dirty.add(SETTINGS)
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
    case 'download.checked':
      for (const key of stampsKeys(event.infoHash, download.stamps.keys())) dirty.add(key)
      download.stamps = new Map()
      download.verified = mergeRanges([], event.pieces)
      download.checked = true
      download.changed = null
      download.completed &&= hasAllWanted(download)
      break
    case 'download.selected': {
      const { priorities, others, sequential, pieces } = event
      const isAll = !priorities.includes('0') && others !== 0
      const isPlain = isAll && !sequential && /^2*$/.test(priorities) && others === 2
      download.selection = isPlain ? null : { priorities, others, sequential }
      download.wanted = isAll ? null : mergeRanges([], pieces)
      // More is wanted than is here.
      download.completed &&= hasAllWanted(download)
      break
    }
    case 'download.limited': {
      const { downloadBytesPerSecond, uploadBytesPerSecond, ratioGoalPercent, seedGoalMs } = event
      download.limits = { downloadBytesPerSecond, uploadBytesPerSecond, ratioGoalPercent, seedGoalMs }
      break
    }
    case 'download.transferred':
      download.downloadedBytes = sum(download.downloadedBytes, event.downloadedBytes)
      download.uploadedBytes = sum(download.uploadedBytes, event.uploadedBytes)
      break
    case 'download.sourced':
      download.sources = {
        public: event.public,
        trackers: event.trackers,
        webSeeds: event.webSeeds,
        dht: event.dht,
        local: event.local,
      }
      break
    case 'download.moving':
      download.move = { directory: event.directory, names: event.names, isDone: false }
      break
    case 'download.moved': {
      const { move, names, directory } = download
      if (move === null || move.isDone) return state
      download.move = { directory, names: move.names.map(({ file }) => nameIn(names, file)), isDone: true }
      download.directory = move.directory
      download.names = withNames(names, move.names)
      dirty.add(NAMES + event.infoHash)
      break
    }
    case 'download.tidied':
      download.move = null
      break
    case 'download.stamped':
      for (const { file, stamp } of event.stamps) download.stamps.set(file, stamp)
      // Hundreds share a row, and making its key costs more than keeping a stamp.
      for (const key of stampsKeys(
        event.infoHash,
        event.stamps.map(({ file }) => file),
      ))
        dirty.add(key)
      return state
    case 'download.changed':
      download.changed = { file: event.file, path: event.path, how: event.how }
      break
    case 'download.verified':
      download.verified = mergeRanges(download.verified, event.pieces)
      break
    case 'download.completed':
      download.completed = true
      download.completedAt = envelope.at
      break
    case 'download.paused':
      download.paused = true
      break
    case 'download.resumed':
      download.paused = false
      break
    case 'download.removed':
      for (const key of stampsKeys(event.infoHash, download.stamps.keys())) dirty.add(key)
      downloads.delete(event.infoHash)
      dirty.add(METAINFO + event.infoHash)
      if (download.names.size > 0) dirty.add(NAMES + event.infoHash)
      break
    default:
      return state
  }
  dirty.add(DOWNLOAD + event.infoHash)
  return state
}

const nameIn = (names: Download['names'], file: number | null): NameOnDisk => ({ file, name: names.get(file) ?? '' })

/** An empty name is the torrent's own, and need not be kept. */
function withNames(names: Download['names'], changed: readonly NameOnDisk[]): Download['names'] {
  const all = new Map(names)
  for (const { file, name } of changed) {
    if (name === '') all.delete(file)
    else all.set(file, name)
  }
  return new Map([...all].sort(([a], [b]) => (a ?? -1) - (b ?? -1)))
}

const sum = (a: number, b: number): number => Math.min(Number.MAX_SAFE_INTEGER, a + b)

const hasAllWanted = ({ verified, wanted, pieceCount }: Download): boolean =>
  covers(verified, wanted ?? [{ first: 0, count: pieceCount }])

function rowOf(state: DownloadsState, key: string): string | null {
  if (key === SETTINGS) return state.settings === NO_SETTINGS ? null : canonicalJson(state.settings)
  const download = state.downloads.get(key.slice(2, 2 + INFO_HASH_LENGTH) as InfoHash)
  if (download === undefined) return null
  const { torrentFile, stamps, names, ...rest } = download
  if (key.startsWith(STAMPS)) return stampsRow(stamps, Number(key.slice(3 + INFO_HASH_LENGTH)))
  if (key.startsWith(NAMES)) return names.size === 0 ? null : JSON.stringify([...names])
  if (key.startsWith(METAINFO)) return torrentFile === undefined ? null : JSON.stringify(toHex(torrentFile))
  return canonicalJson(rest)
}

function stampsRow(stamps: ReadonlyMap<number, string>, row: number): string | null {
  const first = row * STAMPS_PER_ROW
  const found: [number, string][] = []
  for (let file = first; file < first + STAMPS_PER_ROW; file++) {
    const stamp = stamps.get(file)
    if (stamp !== undefined) found.push([file, stamp])
  }
  return found.length === 0 ? null : JSON.stringify(found)
}

export const downloadsProjection = (own: NodeId): Projection<DownloadsState> => ({
  name: 'downloads',
  version: 7,
  handles: [
    'download.added',
    'download.described',
    'download.checked',
    'download.stamped',
    'download.changed',
    'download.selected',
    'download.limited',
    'download.sourced',
    'download.transferred',
    'download.moving',
    'download.moved',
    'download.tidied',
    'client.configured',
    'download.verified',
    'download.completed',
    'download.paused',
    'download.resumed',
    'download.removed',
  ],
  initial: () => ({ settings: NO_SETTINGS, downloads: new Map(), dirty: new DirtyKeys() }),
  apply: (state, envelope) => apply(own, state, envelope),
  changes: (state) => state.dirty.drain((key) => rowOf(state, key)),
  *rows(state) {
    const hashes = [...state.downloads.keys()].sort()
    const settings = rowOf(state, SETTINGS)
    if (settings !== null) yield [SETTINGS, settings]
    for (const prefix of [DOWNLOAD, METAINFO, NAMES]) {
      for (const hash of hashes) {
        const row = rowOf(state, prefix + hash)
        if (row !== null) yield [prefix + hash, row]
      }
    }
    for (const hash of hashes) {
      for (const key of stampsKeys(hash, state.downloads.get(hash)?.stamps.keys() ?? []).sort())
        yield [key, rowOf(state, key) ?? '[]']
    }
  },
  load(rows) {
    const downloads = new Map<InfoHash, Download>()
    let settings = NO_SETTINGS
    for (const [key, value] of rows) {
      if (key === SETTINGS) {
        settings = JSON.parse(value) as ClientSettings
        continue
      }
      const hash = key.slice(2, 2 + INFO_HASH_LENGTH)
      if (!isInfoHash(hash)) throw new RangeError(`a row of downloads is for no info hash: ${key}`)
      if (key.startsWith(DOWNLOAD)) {
        const row = JSON.parse(value) as Omit<Download, 'torrentFile' | 'stamps' | 'names'>
        downloads.set(hash, { ...row, torrentFile: undefined, stamps: new Map(), names: new Map() })
        continue
      }
      const download = downloads.get(hash)
      if (key.startsWith(STAMPS)) {
        for (const [file, stamp] of JSON.parse(value) as [number, string][]) download?.stamps.set(file, stamp)
      } else if (key.startsWith(NAMES)) {
        if (download !== undefined) download.names = new Map(JSON.parse(value) as [number | null, string][])
      } else if (download !== undefined) {
        download.torrentFile = fromHex(JSON.parse(value) as string)
      }
    }
    return { settings, downloads, dirty: new DirtyKeys() }
  },
})

/** All downloads, oldest first. */
export function downloadsIn(state: DownloadsState): Download[] {
  const all = [...state.downloads.values()]
  // Asked for at every change; nearly always they were added in this order.
  return all.every((each, at) => at === 0 || byAge(all[at - 1] ?? each, each) <= 0) ? all : all.sort(byAge)
}

const byAge = (a: Download, b: Download): number => a.addedAt - b.addedAt || (a.infoHash < b.infoHash ? -1 : 1)
