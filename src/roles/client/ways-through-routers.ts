import type { InfoHash, Timers } from '../../events/index.ts'
import type { PeerStreams } from '../../network/index.ts'
import type { TorrentEngine, TorrentStatus } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'

/** How often torrents are looked at, ms. */
const LOOK_EVERY_MS = 2_000
/** Peers that take TCP connections have so long to be found, before others are looked for. */
const ALONE_MS = 4_000
/** Between tries for one torrent, growing by half, ms. */
const TRY_MS = { first: 3_000, max: 60_000 }
/** Tries in vain before the operator is told. */
const TRIES_TO_TELL = 2

export type WaysOptions = {
  streams: PeerStreams
  engine: Pick<TorrentEngine, 'list' | 'adopt'>
  timers: Timers
  notices: NoticeBoard
  now: () => number
}

type Alone = { since: number; nextAt: number; waitMs: number; inVain: number; isTrying: boolean; unreached: number }

/**
 * Two peers behind routers take no connections from outside, so TCP joins neither to the other. A torrent that nobody
 * answers for is looked for among those who offer a way through; and whoever has one, or part of one, offers that way.
 */
export class WaysThroughRouters implements AsyncDisposable {
  readonly #options: WaysOptions
  readonly #offered = new Set<InfoHash>()
  readonly #alone = new Map<InfoHash, Alone>()
  #cancel = () => {}
  #closed = false

  constructor(options: WaysOptions) {
    this.#options = options
  }

  start(): void {
    this.#options.streams.listen((stream) => this.#options.engine.adopt(stream))
    this.#look()
  }

  /** How many offer this torrent and could not be reached. */
  unreached(infoHash: InfoHash): number {
    return this.#alone.get(infoHash)?.unreached ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#options.streams[Symbol.asyncDispose]()
  }

  #look(): void {
    const { engine, streams, timers, now } = this.#options
    const active = engine.list().filter(({ state }) => state !== 'paused' && state !== 'failed')
    const present = new Set(active.map(({ infoHash }) => infoHash))
    for (const infoHash of this.#offered) {
      if (present.has(infoHash)) continue
      this.#offered.delete(infoHash)
      this.#alone.delete(infoHash)
      streams.withdraw(infoHash)
    }
    for (const torrent of active) {
      this.#offered.add(torrent.infoHash)
      streams.offer(torrent.infoHash)
      this.#lookAt(torrent, now())
    }
    this.#cancel = timers.after(LOOK_EVERY_MS, () => this.#look())
  }

  #lookAt({ infoHash, name, state, peers }: TorrentStatus, now: number): void {
    if (peers.length > 0 || state === 'seeding' || state === 'checking') {
      this.#alone.delete(infoHash)
      return
    }
    let alone = this.#alone.get(infoHash)
    if (alone === undefined) {
      alone = { since: now, nextAt: now + ALONE_MS, waitMs: TRY_MS.first, inVain: 0, isTrying: false, unreached: 0 }
      this.#alone.set(infoHash, alone)
    }
    if (now >= alone.nextAt && !alone.isTrying) void this.#try(infoHash, name, alone)
  }

  async #try(infoHash: InfoHash, name: string, alone: Alone): Promise<void> {
    const { streams, engine, notices, now } = this.#options
    alone.isTrying = true
    const { offered, opened } = await streams.open(infoHash)
    alone.isTrying = false
    alone.nextAt = now() + alone.waitMs
    alone.waitMs = Math.min(alone.waitMs * 1.5, TRY_MS.max)
    if (this.#closed) return
    for (const stream of opened) engine.adopt(stream, infoHash)
    alone.unreached = offered - opened.length
    if (opened.length > 0 || offered === 0) return
    alone.inVain++
    if (alone.inVain === TRIES_TO_TELL) notices.post('warning', 'torrent.unreachable', unreachable(name, offered))
  }
}

const unreachable = (name: string, offered: number): string => {
  const who = offered === 1 ? '1 peer offers it and cannot' : `${offered} peers offer it and none can`
  return `"${name}": ${who} be reached, as both sides are behind routers that let nothing in; if one of them starts its client with --port and has its router forward that TCP port, it will work`
}
