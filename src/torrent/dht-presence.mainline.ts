import type { EventEmitter } from 'node:events'
import type { InfoHash, Timers } from '../events/index.ts'

/** What is used of bittorrent-dht. */
export type MainlineNode = EventEmitter & {
  readonly destroyed: boolean
  readonly nodeId: Uint8Array
  readonly nodes: { count(): number }
  addNode(node: { host: string; port: number }): void
  lookup(infoHash: string | Uint8Array, done?: (error: Error | null) => void): () => void
  announce(infoHash: string, port: number, done?: (error: Error | null) => void): void
}

// Keeps the node in its private Mainline DHT and its torrents announced there. webtorrent announces once a quarter of
// an hour, to nobody if the first time comes before a bootstrap has answered.

/** Between tries to reach a bootstrap, growing by half. */
const BOOTSTRAP_RETRY_MS = { first: 500, max: 10_000 }
/** Announces of one torrent, growing by half: quick while a swarm forms, then well inside the nodes' memory (15 min). */
const ANNOUNCE_MS = { first: 2_000, max: 300_000 }
/** Looking a torrent up ends here even if nodes do not answer. */
const LOOKUP_MS = 5_000
const LOOKUP_PEERS_MAX = 200

export class DhtPresence {
  readonly #dht: MainlineNode
  readonly #bootstrap: readonly { host: string; port: number }[]
  readonly #torrentPort: number
  readonly #timers: Timers
  readonly #announced = new Map<InfoHash, () => void>()
  #cancelBootstrap: (() => void) | undefined
  /** No node is known. */
  #isOut = false
  #closed = false

  constructor(dht: MainlineNode, bootstrap: readonly { host: string; port: number }[], torrentPort: number, timers: Timers) {
    this.#dht = dht
    this.#bootstrap = bootstrap
    this.#torrentPort = torrentPort
    this.#timers = timers
    dht.on('node', this.#answered)
    if (bootstrap.length > 0) this.#join(BOOTSTRAP_RETRY_MS.first)
  }

  /** Announces the torrent now and again until {@link withdraw}. */
  announce(infoHash: InfoHash): void {
    if (!this.#announced.has(infoHash)) this.#announceIn(infoHash, 0, ANNOUNCE_MS.first)
  }

  withdraw(infoHash: InfoHash): void {
    this.#announced.get(infoHash)?.()
    this.#announced.delete(infoHash)
  }

  close(): void {
    this.#closed = true
    this.#dht.off('node', this.#answered)
    this.#cancelBootstrap?.()
    for (const infoHash of [...this.#announced.keys()]) this.withdraw(infoHash)
  }

  /** Peers that announced this torrent. */
  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    if (this.#closed || signal?.aborted) return Promise.resolve([])
    return new Promise((resolve) => {
      const found = new Map<string, { host: string; port: number }>()
      const onPeer = (peer: { host: string; port: number }, of: Uint8Array) => {
        if (Buffer.from(of).toString('hex') !== infoHash || found.size >= LOOKUP_PEERS_MAX) return
        found.set(`${peer.host}:${peer.port}`, { host: peer.host, port: peer.port })
      }
      const end = () => {
        cancelTimer()
        this.#dht.off('peer', onPeer)
        signal?.removeEventListener('abort', end)
        resolve([...found.values()])
      }
      const cancelTimer = this.#timers.after(LOOKUP_MS, end)
      signal?.addEventListener('abort', end)
      this.#dht.on('peer', onPeer)
      this.#dht.lookup(infoHash, end)
    })
  }

  /** The first node that answers is joined by at once: a download that goes on after a restart waits for it. */
  readonly #answered = (): void => {
    if (!this.#isOut || this.#closed) return
    this.#cancelBootstrap?.()
    this.#join(BOOTSTRAP_RETRY_MS.first)
  }

  #join(waitMs: number): void {
    if (this.#closed || this.#dht.destroyed) return
    this.#isOut = this.#dht.nodes.count() === 0
    if (!this.#isOut) {
      // Being known to the neighbours of one's own id is what a node is found by.
      this.#dht.lookup(this.#dht.nodeId)
      for (const infoHash of [...this.#announced.keys()]) {
        this.withdraw(infoHash)
        this.announce(infoHash)
      }
    } else for (const node of this.#bootstrap) this.#dht.addNode({ ...node })
    const known = !this.#isOut
    // Once in, it looks again at the slowest pace: a network that died and came back is joined again.
    const nextMs = known ? BOOTSTRAP_RETRY_MS.max : Math.min(waitMs * 1.5, BOOTSTRAP_RETRY_MS.max)
    this.#cancelBootstrap = this.#timers.after(known ? BOOTSTRAP_RETRY_MS.max : waitMs, () =>
      known ? this.#watch() : this.#join(nextMs),
    )
  }

  #watch(): void {
    if (this.#closed || this.#dht.destroyed) return
    if (this.#dht.nodes.count() === 0) this.#join(BOOTSTRAP_RETRY_MS.first)
    else this.#cancelBootstrap = this.#timers.after(BOOTSTRAP_RETRY_MS.max, () => this.#watch())
  }

  #announceIn(infoHash: InfoHash, delayMs: number, nextMs: number): void {
    const cancel = this.#timers.after(delayMs, () => {
      if (this.#closed || this.#dht.destroyed) return
      // The look-up tells webtorrent of peers; the announce uses the nodes it found.
      this.#dht.lookup(infoHash, () => {
        if (!this.#closed && this.#announced.has(infoHash)) this.#dht.announce(infoHash, this.#torrentPort)
      })
      this.#announceIn(infoHash, nextMs, Math.min(nextMs * 1.5, ANNOUNCE_MS.max))
    })
    this.#announced.set(infoHash, cancel)
  }
}
