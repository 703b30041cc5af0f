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

/** What is kept of the metainfo of a torrent that nobody asks for. */
type Facts = Pick<Metainfo, 'name' | 'sizeBytes' | 'pieceCount' | 'pieceLengthBytes' | 'isPrivate'>

/** Of a seed that nobody asks for: it is announced, and nothing of it is open. */
export type AtRest = {
  /** Its files were looked at since the start. */
  isChecked: boolean
  /** It is to be announced no more, or opened. */
  end(): void
}

/** What the engine knows of a torrent whether it is open or not: enough to open it again without hashing. */
export class TorrentEntry {
  readonly infoHash: InfoHash
  directory: string
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
  atRest: AtRest | undefined
  /** It was published just now, and does not rest before, ms of the clock. */
  newUntil = Number.NEGATIVE_INFINITY
  /** When pieces of it were hashed last to see whether its files still stand as they did, ms of the clock. */
  sampledAt: number | undefined
  readonly #magnetName: string | undefined
  readonly #isReadable: (() => boolean) | undefined
  readonly #readAgain: (() => Promise<Metainfo>) | undefined
  #facts: Facts | undefined
  /** While nothing else could give it again. */
  #kept: Metainfo | undefined
  #metainfo: WeakRef<Metainfo> | undefined
  #verifiedRanges: readonly PieceRange[] | undefined
  #verified: Uint8Array | undefined
  #verifiedCount: number | undefined
  #files: FileProgress | undefined
  #selection: FileSelection | undefined
  #priorities: Uint8Array | undefined

  constructor(options: {
    infoHash: InfoHash
    directory: string
    paused: boolean
    metainfo?: Metainfo | undefined
    /** Gives the metainfo again, while it can be read. */
    readAgain?: (() => Promise<Metainfo>) | undefined
    isReadable?: (() => boolean) | undefined
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
    this.#isReadable = options.isReadable
    this.#readAgain = options.readAgain
    this.#verifiedRanges = options.verified
    this.#selection = options.selection
    this.sources = options.sources ?? NO_SOURCES
    this.rates = options.rates ?? { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 }
    if (options.metainfo !== undefined) this.describe(options.metainfo)
  }

  get name(): string {
    return this.#facts?.name ?? this.#magnetName ?? this.infoHash
  }

  get pieceCount(): number {
    return this.#facts?.pieceCount ?? 0
  }

  /** False while a magnet link waits for it. */
  get hasMetainfo(): boolean {
    return this.#facts !== undefined
  }

  get isPrivate(): boolean {
    return this.#facts?.isPrivate ?? false
  }

  /** With the names that its files have on the disk. Undefined where it was let go of, or never known. */
  get metainfo(): Metainfo | undefined {
    return this.#kept ?? this.#metainfo?.deref()
  }

  /** Read again where it was let go of; undefined if it is not known, or cannot be read any more. */
  async load(): Promise<Metainfo | undefined> {
    if (this.#facts === undefined) return undefined
    const held = this.metainfo
    if (held !== undefined || this.#isReadable?.() !== true) return held
    const read = await this.#readAgain?.()
    const metainfo = read && placed(read, this.names)
    if (metainfo !== undefined) this.#metainfo = new WeakRef(metainfo)
    return metainfo
  }

  /** Keeps no more of the metainfo than who uses it, if it can be read again. */
  letGo(): void {
    this.#files = undefined
    if (this.#isReadable?.() === true) this.#kept = undefined
  }

  /** Undefined while it is unknown what is on the disk. */
  get verified(): readonly PieceRange[] | undefined {
    if (this.#verifiedRanges === undefined || this.#verified === undefined) return this.#verifiedRanges
    return rangesOfBitfield(this.#verified, this.pieceCount)
  }

  get piecesVerified(): number {
    // Asked for several times in each row of a status.
    this.#verifiedCount ??= this.#verified === undefined ? 0 : countBits(this.#verified)
    return this.#verifiedCount
  }

  /** Every wanted piece is here. */
  get complete(): boolean {
    return this.hasMetainfo && this.piecesWantedVerified === this.piecesWanted
  }

  get selection(): FileSelection | undefined {
    return this.#selection
  }

  /** Which files are wanted; undefined: all. */
  select(selection: FileSelection | undefined, metainfo: Metainfo | undefined): void {
    this.#selection = selection
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
    this.#kept = metainfo
    this.#metainfo = metainfo && new WeakRef(metainfo)
  }

  describe(given: Metainfo): void {
    const metainfo = placed(given, this.names)
    const { name, sizeBytes, pieceCount, pieceLengthBytes, isPrivate } = metainfo
    this.#facts = { name, sizeBytes, pieceCount, pieceLengthBytes, isPrivate }
    this.#kept = metainfo
    this.#metainfo = new WeakRef(metainfo)
    this.#verifiedCount = undefined
    this.#verified = bitfieldOf(this.#verifiedRanges ?? [], metainfo.pieceCount)
    this.select(this.#selection, metainfo)
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
    const metainfo = before === undefined ? undefined : this.metainfo
    if (before === undefined || metainfo === undefined) return []
    this.#files ??= new FileProgress(metainfo, before)
    this.#verifiedCount = undefined
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
    this.#verifiedCount = undefined
    this.#verifiedRanges = []
    this.#files = undefined
    if (!this.complete) this.completed = false
  }

  /** The part of a status that needs no connection. */
  describeAtRest(state: TorrentState): TorrentStatus {
    const facts = this.#facts
    return {
      infoHash: this.infoHash,
      name: this.name,
      state,
      problem: this.problem,
      directory: this.directory,
      sizeBytes: facts?.sizeBytes ?? 0,
      pieceCount: this.pieceCount,
      pieceLengthBytes: facts?.pieceLengthBytes ?? 0,
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
      isPrivate: this.isPrivate,
    }
  }
}
