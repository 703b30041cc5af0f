// What a node of a Mainline DHT (BEP 5) keeps of announced peers, and how many of them it tells. Of no kind of event:
// it stands here, as the addresses do, since both network and torrent run such a node and do not know each other.

/** In one answer: some 500 bytes, no more than an answer with nodes has, so that nobody is flooded by way of this node. */
export const PEERS_PER_ANSWER_MAX = 50
/** Of one torrent: a host has one port for it, or a few when several nodes run behind one address. */
export const PORTS_PER_HOST_MAX = 8
/** Of one torrent: more than an answer tells, and the store of a node is not filled by one torrent. */
export const HOSTS_PER_TORRENT_MAX = 300
/** Of all torrents. */
export const ANNOUNCED_PEERS_MAX = 10_000

/** An IPv4 address and a port, as BEP 5 writes them. */
const HOST_BYTES = 4

/** What bittorrent-dht calls of its store of peers. */
export interface PeerStore {
  add(infoHash: string, peer: Uint8Array): void
  get(infoHash: string, count?: number): readonly Uint8Array[]
  destroy(): void
}

export type AnnouncedPeersOptions = {
  /** Told so long after its announcement, ms. */
  maxAgeMs: number
  /** Monotonic time, ms. */
  now: () => number
  /** 0 <= random() < 1 */
  random: () => number
}

type Announced = {
  readonly key: string
  readonly infoHash: string
  readonly host: string
  readonly peer: Uint8Array
  at: number
}

/**
 * Puts bounds on what a DHT node of bittorrent-dht keeps and answers; to be called before it listens. Its own store takes
 * every port that a host announces and puts all of them into one datagram: a short question with a forged source sends
 * 60 kB to a third party, and an honest seeder is one among thousands.
 */
export function boundAnnouncedPeers(dht: { _peers: PeerStore }, options: AnnouncedPeersOptions): void {
  dht._peers.destroy()
  dht._peers = new AnnouncedPeers(options)
}

/**
 * A new announcement is always kept and takes the place of an older one: a node that starts again has another port and
 * must be found, while the port it had answers nobody. A host can only take places of its own, since an announcement needs
 * a token that was sent to its address, until a torrent has too many hosts; then the one that was silent for longest
 * goes, because honest ones announce again every few minutes.
 */
export class AnnouncedPeers implements PeerStore {
  readonly #options: AnnouncedPeersOptions
  /** The oldest first, as in every set below. */
  readonly #all = new Map<string, Announced>()
  /** Of each torrent its hosts, the one that was silent for longest first. */
  readonly #torrents = new Map<string, Map<string, Set<Announced>>>()
  readonly #hosts = new Map<string, Set<Announced>>()

  constructor(options: AnnouncedPeersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#all.size
  }

  add(infoHash: string, peer: Uint8Array): void {
    this.#forgetOld()
    const host = peer.subarray(0, HOST_BYTES).join('.')
    const key = `${infoHash} ${host} ${peer.subarray(HOST_BYTES).join('.')}`
    this.#drop(this.#all.get(key))
    this.#makeRoom(infoHash, host)
    const announced = { key, infoHash, host, peer, at: this.#options.now() }
    this.#all.set(key, announced)
    addTo(this.#hosts, host, announced)
    const hosts = this.#torrents.get(infoHash) ?? new Map<string, Set<Announced>>()
    this.#torrents.set(infoHash, hosts)
    const ports = hosts.get(host) ?? new Set()
    // Taken out and put in again, it is the last one.
    hosts.delete(host)
    hosts.set(host, ports.add(announced))
  }

  /** Peers at random, at first one of each host: a host with eight ports is not told more often than one with one. */
  get(infoHash: string, count = PEERS_PER_ANSWER_MAX): readonly Uint8Array[] {
    this.#forgetOld()
    const { random } = this.#options
    const hosts = shuffled(this.#torrents.get(infoHash)?.values() ?? [], random).slice(0, count)
    const portsOf = hosts.map((ports) => shuffled(ports, random))
    const told: Uint8Array[] = []
    for (let round = 0; round < PORTS_PER_HOST_MAX; round++)
      for (const ports of portsOf) {
        const announced = ports[round]
        if (announced !== undefined && told.length < count) told.push(announced.peer)
      }
    return told
  }

  destroy(): void {
    this.#all.clear()
    this.#torrents.clear()
    this.#hosts.clear()
  }

  #forgetOld(): void {
    const { now, maxAgeMs } = this.#options
    const oldest = now() - maxAgeMs
    for (const announced of this.#all.values()) {
      if (announced.at > oldest) return
      this.#drop(announced)
    }
  }

  #makeRoom(infoHash: string, host: string): void {
    const hosts = this.#torrents.get(infoHash)
    const ports = hosts?.get(host)
    if (ports !== undefined && ports.size >= PORTS_PER_HOST_MAX) this.#drop(firstOf(ports))
    if (hosts !== undefined && ports === undefined && hosts.size >= HOSTS_PER_TORRENT_MAX)
      for (const announced of firstOf(hosts.values()) ?? []) this.#drop(announced)
    if (this.#all.size >= ANNOUNCED_PEERS_MAX) this.#drop(this.#oldestOfLargest())
  }

  /** Of the host with the most: with made-up torrents too, a host pushes out its own before others'. */
  #oldestOfLargest(): Announced | undefined {
    let largest: Set<Announced> | undefined
    for (const each of this.#hosts.values()) if (each.size > (largest?.size ?? 0)) largest = each
    return firstOf(largest ?? [])
  }

  #drop(announced: Announced | undefined): void {
    if (announced === undefined) return
    this.#all.delete(announced.key)
    deleteFrom(this.#hosts, announced.host, announced)
    const hosts = this.#torrents.get(announced.infoHash)
    if (hosts === undefined) return
    deleteFrom(hosts, announced.host, announced)
    if (hosts.size === 0) this.#torrents.delete(announced.infoHash)
  }
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([value]))
  else set.add(value)
}

function deleteFrom<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}

function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value
  return undefined
}

function shuffled<T>(values: Iterable<T>, random: () => number): T[] {
  const list = [...values]
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const swapped = list[last] as T
    list[last] = list[other] as T
    list[other] = swapped
  }
  return list
}
