import type { Joining, NodeRole } from '../events/index.ts'
import { ENCRYPTIONS, type Encryption } from '../torrent/index.ts'
import type { ClientService, IndexService, NodeService } from './services.ts'

/** Lowest limit for the size of the log: LevelDB's own files, of a log with next to nothing in it, take up to this. */
export const DISK_LIMIT_BYTES_MIN = 16_000_000

/** `p2pt`: our own, over TCP. `webtorrent`: slower, kept as a second implementation of the same port. */
export const ENGINES = ['p2pt', 'webtorrent'] as const
export type EngineName = (typeof ENGINES)[number]

export { ENCRYPTIONS }

/** How a node is started; the flags of `p2pt <role> start`. */
export type StartOptions = {
  role: NodeRole
  /** The network to join; left out, the one that the data directory belongs to. */
  joining?: Joining
  dataDirectory: string
  host: string
  /** HyperDHT's UDP port; 0 lets the system choose. Mainline's is the one after it, BitTorrent's TCP port the same number. */
  port: number
  bootstrap: readonly { host: string; port: number }[]
  /** Address that others should dial, where it is not `host`. */
  advertise?: string
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  /** Where to serve metrics over HTTP. */
  metrics?: { host: string; port: number }
  /** What moves the pieces; default: our own. */
  engine?: EngineName
  /** Of connections with peers; default: `allow`. Of our own engine only. */
  encryption?: Encryption
  allowCorrupt?: boolean
  /** Torrents that are not private find peers by trackers, web seeds and exchange too, and welcome strangers. */
  public?: boolean
  /** All public torrents take part in the public Mainline DHT, entered by these nodes; empty: by long-standing ones. */
  publicDht?: readonly { host: string; port: number }[]
  /** All public torrents are announced on the local network. */
  localDiscovery?: boolean
  /** Pieces are exchanged with BitTorrent peers that prove no key of the network, too; in an open network they always are. */
  plainPeers?: boolean
  /** A restored backup goes on at once, although peers may hold events of it that it lacks. */
  acceptForkRisk?: boolean
  /** Where downloads go; default: `downloads` in the data directory. */
  downloads?: string
  /** Bytes a second from now on, 0 for no limit; left out: as they were. */
  downloadBytesPerSecond?: number
  uploadBytesPerSecond?: number
  /** See RetentionOptions. */
  retainLivenessDays?: number
  diskLimitBytes?: number
  /** How fast the log is read through in the background, once a week. */
  scrubBytesPerSecond?: number
}

/** A node that runs. `index` and `client` are there for that role only. */
export interface RunningNode extends AsyncDisposable {
  readonly node: NodeService
  readonly index: IndexService | undefined
  readonly client: ClientService | undefined
  /** Resolves when the node has stopped, by whatever way. */
  readonly stopped: Promise<void>
}
