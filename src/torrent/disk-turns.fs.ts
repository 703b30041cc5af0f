import type { FileStampAt } from '../events/index.ts'
import { hashDisk, somethingStands, spotCheck } from './disk-check.fs.ts'
import { TorrentError } from './engine.ts'
import type { EngineContext } from './engine-context.ts'
import { FileWatch } from './file-watch.fs.ts'
import type { Metainfo } from './metainfo.ts'
import type { PathClaims } from './path-claims.fs.ts'
import { bitfieldOf, rangesOfBitfield } from './piece-ranges.ts'
import { PieceStore } from './piece-store.fs.ts'
import { loaded } from './read-entry.fs.ts'
import type { TorrentEntry } from './torrent-entry.ts'
import { Turns } from './turns.ts'

/** Torrents that are looked at at a time as they are opened again: thousands of them must leave the disk to others. */
const SPOT_CHECKS_AT_A_TIME = 4
/** Torrents that are hashed as a whole at a time; that may take hours, and those that are opened again do not wait for it. */
const FULL_CHECKS_AT_A_TIME = 2
/** Of torrents that a peer waits for, which do not queue behind those that are opened again. */
const WOKEN_CHECKS_AT_A_TIME = 4
/** A torrent that is opened again and again is not hashed each time: its files are looked at. */
const SAMPLE_AGAIN_MS = 600_000

/** What stands on the disk of an engine's torrents, looked at a few at a time, and what follows for them. */
export class DiskTurns {
  readonly #engine: EngineContext
  readonly #claims: PathClaims
  readonly #spotChecks = new Turns(SPOT_CHECKS_AT_A_TIME)
  readonly #wokenChecks = new Turns(WOKEN_CHECKS_AT_A_TIME)
  readonly #fullChecks = new Turns(FULL_CHECKS_AT_A_TIME)

  constructor(engine: EngineContext, claims: PathClaims) {
    this.#engine = engine
    this.#claims = claims
  }

  /**
   * Before anything of a torrent is served or written.
   * @param isAwaited by a peer
   * @returns the pieces that were found by hashing all; undefined where they were known
   * @throws TorrentError `PATH_TAKEN`, `FILE_IN_THE_WAY`; FilesChanged
   */
  async openDisk(
    entry: TorrentEntry,
    metainfo: Metainfo,
    store: PieceStore,
    watch: FileWatch,
    { signal, isAwaited }: { signal: AbortSignal; isAwaited: boolean },
  ): Promise<Uint8Array | undefined> {
    const { infoHash, verified, directory } = entry
    if (verified !== undefined && entry.ownsFiles) {
      const turns = isAwaited ? this.#wokenChecks : this.#spotChecks
      await turns.run(() => this.#sample(entry, metainfo, store, watch, signal))
      return undefined
    }
    // A magnet link's files are known only now.
    await this.#claims.claim(entry)
    // A download into an empty place need not wait for its turn.
    const check = () => hashDisk(metainfo, directory, { signal })
    const found = await ((await somethingStands(metainfo, directory)) ? this.#fullChecks.run(check) : check())
    const [foreign] = found.foreign
    if (foreign !== undefined && !entry.overwrite) throw inTheWay(foreign, found.foreign.length - 1, directory)
    signal.throwIfAborted()
    this.found(entry, found)
    watch.settled(found.stamps)
    await watch.lookAtAll(found.bitfield, signal)
    this.#engine.events?.checked(infoHash, {
      pieces: rangesOfBitfield(found.bitfield, metainfo.pieceCount),
      stamps: found.stamps,
    })
    return found.bitfield
  }

  /** What opening it would do, and nothing stays open. @throws FilesChanged */
  async lookAtFiles(entry: TorrentEntry, signal: AbortSignal): Promise<void> {
    await this.#spotChecks.run(async () => {
      signal.throwIfAborted()
      const { directory, stampList } = entry
      const metainfo = await loaded(entry)
      const watch = new FileWatch(metainfo, directory, stampList, () => {})
      const store = new PieceStore(metainfo, directory, watch)
      try {
        await this.#sample(entry, metainfo, store, watch, signal)
      } finally {
        store.close(() => {})
      }
    })
    entry.letGo()
  }

  /** Sees whether its files still stand as they did. @throws FilesChanged */
  async #sample(
    entry: TorrentEntry,
    metainfo: Metainfo,
    store: PieceStore,
    watch: FileWatch,
    signal: AbortSignal,
  ): Promise<void> {
    const verified = bitfieldOf(entry.verified ?? [], metainfo.pieceCount)
    const isKnown = this.#isSampled(entry)
    this.stamped(entry, await spotCheck(metainfo, { store, watch, verified, signal, pieces: isKnown ? 0 : undefined }))
    if (!isKnown) entry.sampledAt = this.#engine.clock.now()
  }

  /** Pieces of it were hashed not long ago. */
  #isSampled({ sampledAt }: TorrentEntry): boolean {
    return sampledAt !== undefined && this.#engine.clock.now() - sampledAt < SAMPLE_AGAIN_MS
  }

  /** Everything was hashed: this is what it has. */
  found(entry: TorrentEntry, { bitfield, stamps }: { bitfield: Uint8Array; stamps: readonly FileStampAt[] }): void {
    entry.ownsFiles = true
    entry.changed = undefined
    entry.problem = undefined
    entry.stamps.clear()
    entry.stamp(stamps)
    entry.checked(bitfield)
  }

  /** Files of it have settled, or look otherwise than before. */
  stamped(entry: TorrentEntry, stamps: readonly FileStampAt[]): void {
    if (stamps.length === 0 || this.#engine.entries.get(entry.infoHash) !== entry) return
    entry.stamp(stamps)
    this.#engine.events?.stamped(entry.infoHash, stamps)
  }
}

function inTheWay(path: string, more: number, directory: string): TorrentError {
  const others = more === 0 ? 'is' : `and ${more} more are`
  return new TorrentError(
    'FILE_IN_THE_WAY',
    `${path} stands in ${directory} already, ${others} not of this torrent, and would be written over: ` +
      'move it away and resume, or remove the torrent and add it again with --to or --overwrite',
  )
}
