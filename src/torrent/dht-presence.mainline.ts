import type { EventEmitter } from 'node:events'
import { AnnounceSchedule, type InfoHash, type Timers, type Visit } from '../events/index.ts'

/** What is used of bittorrent-dht. */
export type MainlineNode = EventEmitter & {
  readonly destroyed: boolean
  readonly nodeId: Uint8Array
  readonly nodes: { count(): number }
  addNode(node: { host: string; port: number }): void
  lookup(infoHash: string | Uint8Array, done?: (error: Error | null) => void): () => void
  announce(infoHash: string, port: number, done?: (error?: Error | null) => void): void
}

// Keeps the node in its private Mainline DHT and its torrents announced there, as the schedule of all of them says.

/** Between tries to reach a bootstrap, growing by half. */
const BOOTSTRAP_RETRY_MS = { first: 500, max: 10_000 }
/** Each visit is up to forty datagrams in a network of more than twenty nodes; see ADR 24 for what they cost. */
const BUDGET = { underWayMax: 16, perSecond: 20, burst: 20 }
/** A visit ends here even if nodes do not answer. */
const VISIT_MS = 10_000
/** Looking a torrent up ends here even if nodes do not answer. */
const LOOKUP_MS = 5_000
const LOOKUP_PEERS_MAX = 200

export class DhtPresence {
  readonly #dht: MainlineNode
  readonly #bootstrap: readonly { host: string; port: number }[]
  readonly #torrentPort: number
  readonly #timers: Timers
  readonly #schedule = new AnnounceSchedule(BUDGET)
  /** Of the torrents in the schedule, whether they look for peers. */
  readonly #wanting = new Map<InfoHash, () => boolean>()
  #cancelBootstrap: (() => void) | undefined
  /** No node is known. */
  #isOut = false
  #cancelPump: (() => void) | undefined
  #isJoined: boolean
  #closed = false

  constructor(dht: MainlineNode, bootstrap: readonly { host: string; port: number }[], torrentPort: number, timers: Timers) {
    this.#dht = dht
    this.#bootstrap = bootstrap
    this.#torrentPort = torrentPort
    this.#timers = timers
    dht.on('node', this.#answered)
    // Without one, others make themselves known to it.
    this.#isJoined = bootstrap.length === 0
    if (bootstrap.length > 0) this.#join(BOOTSTRAP_RETRY_MS.first)
  }

  /** Announces the torrent, and looks it up, now and again until {@link withdraw}. @param isWanting it looks for peers now */
  announce(infoHash: InfoHash, isWanting: () => boolean): void {
    this.#wanting.set(infoHash, isWanting)
    this.#schedule.add(infoHash, isWanting(), performance.now())
    this.#pump()
  }

  /** Peers are wanted of it now: its turn comes ahead of others'. */
  urge(infoHash: InfoHash): void {
    this.#schedule.urge(infoHash, performance.now())
    this.#pump()
  }

  withdraw(infoHash: InfoHash): void {
    this.#wanting.delete(infoHash)
    this.#schedule.delete(infoHash)
  }

  close(): void {
    this.#closed = true
    this.#dht.off('node', this.#answered)
    this.#cancelBootstrap?.()
    this.#cancelPump?.()
    this.#schedule.clear()
    this.#wanting.clear()
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
      this.#isJoined = true
      this.#schedule.joined(performance.now())
      this.#pump()
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

  /** Begins what is due, and comes again when more is. */
  #pump(): void {
    this.#cancelPump?.()
    this.#cancelPump = undefined
    if (this.#closed || this.#dht.destroyed || !this.#isJoined) return
    const now = performance.now()
    for (let visit = this.#schedule.next(now); visit !== undefined; visit = this.#schedule.next(now)) this.#visit(visit)
    const wakeAt = this.#schedule.wakeAt(now)
    if (wakeAt !== undefined) this.#cancelPump = this.#timers.after(Math.max(1, Math.ceil(wakeAt - now)), () => this.#pump())
  }

  #visit(visit: Visit): void {
    const { infoHash } = visit
    let isOver = false
    const end = (wasHeard: boolean) => {
      if (isOver) return
      isOver = true
      cancelTimer()
      this.#schedule.ended(visit, { wasHeard, isWanting: this.#wanting.get(infoHash)?.() ?? false }, performance.now())
      this.#pump()
    }
    const cancelTimer = this.#timers.after(VISIT_MS, () => end(false))
    // The look-up tells of peers; the announcement uses the nodes it found.
    this.#dht.lookup(infoHash, () => {
      if (isOver || this.#closed || !this.#wanting.has(infoHash)) end(false)
      else this.#dht.announce(infoHash, this.#torrentPort, (error) => end(error === null || error === undefined))
    })
  }
}
