import type { InfoHash } from '../events/index.ts'
import { diskProblem } from './disk-problem.ts'
import type { DiskTurns } from './disk-turns.fs.ts'
import { endpointOf } from './endpoint.ts'
import type { EngineContext } from './engine-context.ts'
import { priorityOfFile } from './file-selection.ts'
import { FilesChanged } from './files-changed.ts'
import type { Metainfo } from './metainfo.ts'
import { loaded } from './read-entry.fs.ts'
import type { Swarm, WantedPieces } from './swarm.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/** A seed without a peer is closed so long after the last one. */
const REST_AFTER_MS = 60_000
/** How long a torrent that was just published stays open, and how many of them do: those who want it may see little of the DHT. */
const NEW_MS = 300_000
const NEW_OPEN_MAX = 64
/** Looks at open torrents in that time. */
const IDLE_LOOKS = 6
/** Seeds without a peer that are open at a time: whoever names thousands opens no more. */
const IDLE_OPEN_MAX = 64

/** Which torrents of an engine are open, which rest, and when one becomes the other. */
export class OpenTorrents {
  readonly swarms = new Map<InfoHash, Swarm>()
  readonly #engine: EngineContext
  readonly #disk: DiskTurns
  readonly #restAfterMs: number
  /** Swarms that write their last: until they are through, nobody else touches their files. */
  readonly #closing = new Map<InfoHash, Promise<void>>()
  /** Of open seeds that have no peer, since when; the one that has been idle for longest first. */
  readonly #idle = new Map<TorrentEntry, number>()
  /** Those that were published last. */
  readonly #new: TorrentEntry[] = []
  /** Those that are being opened for a peer. */
  readonly #woken = new Map<InfoHash, { ready: Promise<void>; isReady(): void }>()
  #cancelIdleLook: (() => void) | undefined

  /** @param restAfterMs how long a seed without a peer stays open */
  constructor(engine: EngineContext, disk: DiskTurns, restAfterMs = REST_AFTER_MS) {
    this.#engine = engine
    this.#disk = disk
    this.#restAfterMs = restAfterMs
  }

  /** Its files are nobody's any more once this resolves. */
  async closed(infoHash: InfoHash): Promise<void> {
    await this.#closing.get(infoHash)
  }

  /** All of them, for good. */
  async dispose(): Promise<void> {
    this.#cancelIdleLook?.()
    await Promise.all([...this.swarms.values()].map((swarm) => swarm.close()))
    this.swarms.clear()
  }

  /** Opens it, or lets it rest where nobody needs it open. */
  start(entry: TorrentEntry, metainfo = entry.metainfo, isHashed = false): void {
    if (!this.mayRest(entry) || !this.#rest(entry, isHashed)) this.#open(entry, metainfo)
  }

  /** A seed that finds its peers here alone: all that it does is to answer who comes. */
  mayRest(entry: TorrentEntry): boolean {
    const { complete, completed, ownsFiles, problem, paused, recheck, move, sources, isPrivate, newUntil } = entry
    if (this.#engine.clock.now() < newUntil) return false
    const isPublic = (sources.public || sources.dht || sources.local) && !isPrivate
    return (
      complete &&
      completed &&
      ownsFiles &&
      problem === undefined &&
      !paused &&
      recheck === undefined &&
      move === undefined &&
      !isPublic
    )
  }

  /** @param isChecked its files were looked at since the start @returns false if the host cannot */
  #rest(entry: TorrentEntry, isChecked: boolean): boolean {
    if (!this.#engine.isRunning) return false
    const ending = new AbortController()
    const withdraw = this.#engine.host.rest(entry.infoHash, () => this.wake(entry))
    if (withdraw === undefined) return false
    const end = () => {
      ending.abort(new Error('the torrent does not rest any more'))
      if (entry.atRest === atRest) entry.atRest = undefined
      withdraw()
    }
    const atRest = { isChecked, end }
    entry.atRest = atRest
    if (!isChecked) {
      this.#disk.lookAtFiles(entry, ending.signal).then(
        () => {
          atRest.isChecked = true
        },
        (error: Error) => {
          if (!ending.signal.aborted) this.failed(entry, error)
        },
      )
    }
    return true
  }

  /** Opens one that rests. Resolves when peers can join it, or when it could not be opened. */
  async wake(entry: TorrentEntry): Promise<void> {
    const { infoHash } = entry
    await this.#closing.get(infoHash)
    if (entry.atRest !== undefined && this.#engine.isRunning && !this.#woken.has(infoHash)) {
      let isReady = () => {}
      const ready = new Promise<void>((resolve) => {
        isReady = resolve
      })
      this.#woken.set(infoHash, { ready, isReady })
      await this.#openAtRest(entry)
    }
    await this.#woken.get(infoHash)?.ready
  }

  async #openAtRest(entry: TorrentEntry): Promise<void> {
    let metainfo: Metainfo
    try {
      metainfo = await loaded(entry)
    } catch (error) {
      this.failed(entry, error as Error)
      return
    }
    const { atRest } = entry
    // It may have been closed meanwhile.
    if (atRest === undefined || !this.#engine.isRunning) {
      this.#isAwake(entry)
      return
    }
    this.#open(entry, metainfo)
    // Not before: it stays announced.
    atRest.end()
    if (this.swarms.size > IDLE_OPEN_MAX) this.#lookForIdle()
  }

  #isAwake({ infoHash }: TorrentEntry): void {
    this.#woken.get(infoHash)?.isReady()
    this.#woken.delete(infoHash)
  }

  /** At once where it is open, else once it was opened for it; not where it is to stay closed. */
  openedFor(entry: TorrentEntry, run: (swarm: Swarm) => void, orElse = () => {}): void {
    const { infoHash } = entry
    const swarm = this.swarms.get(infoHash)
    if (swarm !== undefined && !this.#woken.has(infoHash)) run(swarm)
    else if (entry.atRest === undefined && swarm === undefined) orElse()
    else {
      void this.wake(entry).then(() => {
        const opened = this.swarms.get(infoHash)
        if (opened === undefined) orElse()
        else run(opened)
      })
    }
  }

  /** It was just published, and stays open for a while. */
  isNew(entry: TorrentEntry): void {
    entry.newUntil = this.#engine.clock.now() + NEW_MS
    this.#new.push(entry)
    if (this.#new.length <= NEW_OPEN_MAX) return
    const oldest = this.#new.shift()
    if (oldest !== undefined) oldest.newUntil = Number.NEGATIVE_INFINITY
  }

  /** One look at all open torrents from time to time, while there are any. */
  #lookForIdleLater(): void {
    if (this.#cancelIdleLook !== undefined || !this.#engine.isRunning || this.swarms.size === 0) return
    this.#cancelIdleLook = this.#engine.timers.after(this.#restAfterMs / IDLE_LOOKS, () => {
      this.#cancelIdleLook = undefined
      this.#lookForIdle()
      this.#lookForIdleLater()
    })
  }

  #lookForIdle(): void {
    const now = this.#engine.clock.now()
    for (const [infoHash, swarm] of this.swarms) {
      const entry = this.#engine.entries.get(infoHash)
      if (entry === undefined) continue
      if (!this.mayRest(entry) || !swarm.status.isReady || swarm.peers().length > 0) this.#idle.delete(entry)
      else if (!this.#idle.has(entry)) this.#idle.set(entry, now)
    }
    let idle = this.#idle.size
    for (const [entry, since] of this.#idle) {
      if (now - since < this.#restAfterMs && idle <= IDLE_OPEN_MAX) return
      idle--
      void this.#closeToRest(entry)
    }
  }

  /** Announced all the while. */
  async #closeToRest(entry: TorrentEntry): Promise<void> {
    const isResting = this.#rest(entry, true)
    if (!isResting) {
      this.#idle.delete(entry)
      return
    }
    await this.#closeSwarm(entry)
    entry.letGo()
  }

  /** @param metainfo read again, where it was let go of */
  #open(entry: TorrentEntry, metainfo: Metainfo | undefined): void {
    if (!this.#engine.isRunning || entry.move !== undefined) return
    const { infoHash, directory } = entry
    const swarm = this.#engine.host.open({
      infoHash,
      name: entry.name,
      directory,
      metainfo,
      verified: entry.verified,
      stamps: entry.stampList,
      wanted: wantedOf(entry),
      rates: entry.rates,
      sources: entry.sources,
      peers: entry.peers.map(({ host, port }) => endpointOf(host, port)),
      corruptPercent: entry.corruptPercent,
      isNew: () => this.#engine.clock.now() < entry.newUntil,
      bans: this.#engine.bans,
      onThinIce: this.#engine.onThinIce,
      endpoints: this.#engine.endpoints,
      events: {
        described: (metainfo) => {
          entry.describe(metainfo)
          swarm.want(wantedOf(entry))
          this.#engine.events?.described(metainfo)
        },
        openDisk: (metainfo, store, watch, signal) =>
          this.#disk.openDisk(entry, metainfo, store, watch, { signal, isAwaited: this.#woken.has(infoHash) }),
        checked: (bitfield) => {
          entry.checked(bitfield)
          this.#isAwake(entry)
        },
        verified: (pieces) => {
          const fresh = entry.addVerified(pieces)
          if (fresh.length === 0) return
          this.#engine.events?.verified(infoHash, fresh)
          const settled = entry.settledBy(fresh)
          if (settled.length === 0) return
          void swarm.settle(settled).then((stamps) => {
            // A copy elsewhere looks otherwise; it is looked at when it is opened.
            if (entry.move === undefined && entry.directory === directory) this.#disk.stamped(entry, stamps)
          })
        },
        judged: (...verdict) => this.#engine.events?.judged(...verdict),
        suspected: (...suspicion) => this.#engine.events?.suspected(...suspicion),
        peer: (...change) => this.#engine.events?.peer(...change),
        completed: () => {
          if (entry.completed) return
          entry.completed = true
          this.#engine.events?.completed(infoHash)
        },
        failed: (error) => this.failed(entry, error),
      },
    })
    this.swarms.set(infoHash, swarm)
    this.#lookForIdleLater()
  }

  /** Neither open nor at rest any more; what is being written is finished first. */
  async close(entry: TorrentEntry): Promise<void> {
    entry.atRest?.end()
    await this.#closeSwarm(entry)
  }

  async #closeSwarm(entry: TorrentEntry): Promise<void> {
    this.#isAwake(entry)
    this.#idle.delete(entry)
    const swarm = this.swarms.get(entry.infoHash)
    if (swarm === undefined) {
      await this.#closing.get(entry.infoHash)
      return
    }
    this.swarms.delete(entry.infoHash)
    const { downloadedBytes, uploadedBytes } = swarm.status
    entry.downloadedBytes += downloadedBytes
    entry.uploadedBytes += uploadedBytes
    const closing = swarm.close().finally(() => {
      if (this.#closing.get(entry.infoHash) === closing) this.#closing.delete(entry.infoHash)
    })
    this.#closing.set(entry.infoHash, closing)
    await closing
  }

  /** It goes no further: its owner is told what to do. */
  failed(entry: TorrentEntry, error: Error): void {
    if (this.#engine.entries.get(entry.infoHash) !== entry || entry.problem !== undefined) return
    entry.problem = diskProblem(error, entry.directory)
    if (error instanceof FilesChanged) entry.changed = error.change
    this.close(entry).catch(() => {})
    if (error instanceof FilesChanged) this.#engine.events?.changed(entry.infoHash, error.change)
    else this.#engine.events?.failed(entry.infoHash, entry.problem)
  }
}

/** Of a torrent as it stands. */
export const wantedOf = ({ priorities, selection }: TorrentEntry): WantedPieces => ({
  priorities,
  sequential: selection?.sequential ?? false,
  isFileWanted: (file) => priorityOfFile(selection, file) > 0,
})
