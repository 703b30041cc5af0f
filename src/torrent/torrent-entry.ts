import {
  type FileChange,
  type FileSelection,
  type FileStampAt,
  type InfoHash,
  NO_SOURCES,
  type PieceRange,
  type Rates,
  type TorrentSources,
} from '../events/index.ts'
import type { TorrentState, TorrentStatus } from './engine.ts'
import { FileProgress } from './file-progress.ts'
import { piecePriorities } from './file-selection.ts'
import { FilesChanged } from './files-changed.ts'
import type { Metainfo } from './metainfo.ts'
import { bitfieldOf, countBits, hasBit, rangesOfBitfield, setBit } from './piece-ranges.ts'
import { type NamesOnDisk, placed } from './placement.ts'

/** What the engine knows of a torrent whether it is open or not: enough to open it again without hashing. */
export class TorrentEntry {
  readonly infoHash: InfoHash
  directory: string
  /** With the names that its files have on the disk. */
  metainfo: Metainfo | undefined
  names: NamesOnDisk
  /** Peers that magnet links named. */
  peers: readonly { host: string; port: number }[]
  /** Downloads over what stands there already. */
  readonly overwrite: boolean
  /** Its files are its own: no other torrent has them, and what stood there was looked at. */
  ownsFiles: boolean
  /** How settled files must look, by their place. */
  readonly stamps = new Map<number, string>()
  changed: FileChange | undefined
  rates: Rates
  sources: TorrentSources
  /** While everything is hashed again. */
  recheck: AbortController | undefined
  /** While its files are moved; `ended` resolves whatever comes of it. */
  move: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined
  corruptPercent = 0
  /** True once nobody needs to be told any more that every wanted piece is here. */
  completed = false
  paused: boolean
  problem: string | undefined
  /** Bytes of connections that are gone. */
  downloadedBytes = 0
  uploadedBytes = 0
  readonly #magnetName: string | undefined
  #verifiedRanges: readonly PieceRange[] | undefined
  #verified: Uint8Array | undefined
  #files: FileProgress | undefined
  #selection: FileSelection | undefined
  #priorities: Uint8Array | undefined

  constructor(options: {
    infoHash: InfoHash
    directory: string
    paused: boolean
    metainfo?: Metainfo | undefined
    name?: string | undefined
    verified?: readonly PieceRange[] | undefined
    peers?: readonly { host: string; port: number }[]
    stamps?: readonly FileStampAt[] | undefined
    changed?: FileChange | undefined
    overwrite?: boolean | undefined
    selection?: FileSelection | undefined
    rates?: Rates | undefined
    sources?: TorrentSources | undefined
    names?: NamesOnDisk | undefined
  }) {
    this.infoHash = options.infoHash
    this.directory = options.directory
    this.names = options.names ?? new Map()
    this.paused = options.paused
    this.peers = options.peers ?? []
    this.overwrite = options.overwrite ?? false
    this.ownsFiles = options.verified !== undefined
    this.changed = options.changed
    if (options.changed !== undefined) this.problem = new FilesChanged(options.changed).message
    this.stamp(options.stamps ?? [])
    this.#magnetName = options.name
    this.#verifiedRanges = options.verified
    this.#selection = options.selection
    this.sources = options.sources ?? NO_SOURCES
    this.rates = options.rates ?? { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 }
    if (options.metainfo !== undefined) this.describe(options.metainfo)
  }

  get name(): string {
    return this.metainfo?.name ?? this.#magnetName ?? this.infoHash
  }

  get pieceCount(): number {
    return this.metainfo?.pieceCount ?? 0
  }

  /** Undefined while it is unknown what is on the disk. */
  get verified(): readonly PieceRange[] | undefined {
    if (this.#verifiedRanges === undefined || this.#verified === undefined) return this.#verifiedRanges
    return rangesOfBitfield(this.#verified, this.pieceCount)
  }

  get piecesVerified(): number {
    return this.#verified === undefined ? 0 : countBits(this.#verified)
  }

  /** Every wanted piece is here. */
  get complete(): boolean {
    return this.metainfo !== undefined && this.piecesWantedVerified === this.piecesWanted
  }

  get selection(): FileSelection | undefined {
    return this.#selection
  }

  /** Which files are wanted; undefined: all. */
  select(selection: FileSelection | undefined): void {
    this.#selection = selection
    const { metainfo } = this
    this.#priorities = metainfo === undefined || selection === undefined ? undefined : piecePriorities(metainfo, selection)
  }

  /** By piece; undefined where all are wanted alike, or no piece is known. */
  get priorities(): Uint8Array | undefined {
    return this.#priorities
  }

  get piecesWanted(): number {
    let count = 0
    if (this.#priorities === undefined) return this.pieceCount
    for (const priority of this.#priorities) if (priority > 0) count++
    return count
  }

  get piecesWantedVerified(): number {
    const [priorities, verified] = [this.#priorities, this.#verified]
    if (priorities === undefined || verified === undefined) return this.piecesVerified
    let count = 0
    for (let index = 0; index < priorities.length; index++) if (priorities[index] !== 0 && hasBit(verified, index)) count++
    return count
  }

  hasPiece(index: number): boolean {
    return this.#verified !== undefined && hasBit(this.#verified, index)
  }

  /** Its files stand there now. @param metainfo with the names that they have there */
  goTo({ directory, names, metainfo }: { directory: string; names: NamesOnDisk; metainfo: Metainfo | undefined }): void {
    this.directory = directory
    this.names = names
    this.metainfo = metainfo
  }

  describe(metainfo: Metainfo): void {
    this.metainfo = placed(metainfo, this.names)
    this.#verified = bitfieldOf(this.#verifiedRanges ?? [], metainfo.pieceCount)
    this.select(this.#selection)
    this.completed = this.complete
  }

  stamp(stamps: readonly FileStampAt[]): void {
    for (const { file, stamp } of stamps) this.stamps.set(file, stamp)
  }

  /** The stamps as a list. */
  get stampList(): FileStampAt[] {
    return [...this.stamps].map(([file, stamp]) => ({ file, stamp }))
  }

  /** @param fresh pieces that `addVerified` just returned @returns the files that are settled by them */
  settledBy(fresh: readonly PieceRange[]): number[] {
    return this.#files?.add(fresh) ?? []
  }

  /** Pieces stand on the disk. @returns those that were not known to */
  addVerified(ranges: readonly PieceRange[]): PieceRange[] {
    const before = this.#verified
    if (before === undefined || this.metainfo === undefined) return []
    this.#files ??= new FileProgress(this.metainfo, before)
    const fresh = new Uint8Array(before.length)
    for (const { first, count } of ranges) {
      for (let index = first; index < first + count; index++) {
        if (((before[index >> 3] ?? 0) & (0x80 >> (index & 7))) === 0) setBit(fresh, index)
        setBit(before, index)
      }
    }
    return rangesOfBitfield(fresh, this.pieceCount)
  }

  /** The disk was checked: from now on `verified` is the whole truth. */
  checked(bitfield: Uint8Array): void {
    this.#verified = bitfield.slice()
    this.#verifiedRanges = []
    this.#files = undefined
    if (!this.complete) this.completed = false
  }

  /** The part of a status that needs no connection. */
  describeAtRest(state: TorrentState): TorrentStatus {
    const { metainfo } = this
    return {
      infoHash: this.infoHash,
      name: this.name,
      state,
      problem: this.problem,
      directory: this.directory,
      sizeBytes: metainfo?.sizeBytes ?? 0,
      pieceCount: this.pieceCount,
      pieceLengthBytes: metainfo?.pieceLengthBytes ?? 0,
      piecesVerified: this.piecesVerified,
      piecesWanted: this.piecesWanted,
      piecesWantedVerified: this.piecesWantedVerified,
      downloadedBytes: this.downloadedBytes,
      uploadedBytes: this.uploadedBytes,
      downloadBytesPerSecond: 0,
      uploadBytesPerSecond: 0,
      timeLeftMs: this.complete ? 0 : undefined,
      peers: [],
      corruptPercent: this.corruptPercent,
      isPrivate: metainfo?.isPrivate ?? false,
    }
  }
}
