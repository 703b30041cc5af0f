import type { Clock, InfoHash, PeerId, Timers } from '../events/index.ts'
import { BanList } from './ban-list.ts'
import type { TorrentEngineEvents } from './engine.ts'
import { KnownEndpoints } from './known-endpoints.ts'
import type { SwarmHost } from './swarm.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/** What the parts of an engine share. */
export class EngineContext {
  readonly host: SwarmHost
  readonly clock: Clock
  readonly timers: Timers
  /** All torrents, open or not. */
  readonly entries = new Map<InfoHash, TorrentEntry>()
  readonly bans = new BanList()
  readonly onThinIce = new Set<PeerId>()
  readonly endpoints = new KnownEndpoints()
  /** Whom it tells. */
  events: TorrentEngineEvents | undefined
  /** From the end of its start until it is disposed of. */
  isRunning = false

  constructor(host: SwarmHost, { clock, timers }: { clock: Clock; timers: Timers }) {
    this.host = host
    this.clock = clock
    this.timers = timers
  }
}
