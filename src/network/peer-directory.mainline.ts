import DHT from 'bittorrent-dht'
import { boundAnnouncedPeers, type InfoHash, isDialable, type Timers } from '../events/index.ts'
import { GuardedDatagramSocket } from './guarded-socket.mainline.ts'
import { NetworkError } from './network-error.ts'
import type { PeerDirectory } from './overlay.ts'
import type { Endpoint } from './transport.ts'
import { dialableIpv4Of, freeUdpPort, ipv4Of, portError } from './udp-port.hyperswarm.ts'

export type MainlineNodeOptions = {
  /** An IPv4 address or a name of one to listen on. */
  host: string
  /** UDP, another one than HyperDHT's; 0 lets the system choose. */
  port: number
  /** Other bootstraps; empty for the first one. Never the public network. */
  bootstrap: readonly Endpoint[]
  /** How long an announced peer is told to others unless it announces again, ms > 0. */
  maxAgeMs: number
  timers: Timers
  /** 20 bytes; random if left out. Keeping it over restarts keeps the node's place in others' tables. */
  nodeId?: Uint8Array
  /** Of an earlier run: see `nodes()`. */
  nodes?: readonly Endpoint[]
  onNotice?: (text: string) => void
}

export interface MainlineNode extends PeerDirectory {
  readonly host: string
  readonly nodeId: Uint8Array
  /** Nodes of the routing table, worth keeping for the next start. */
  nodes(): readonly Endpoint[]
}

const LOOKUP_PEERS_MAX = 200
const LOOKUP_MS_MAX = 5_000
const NODES_KEPT_MAX = 200

const JOIN_FIRST_MS = 250
const JOIN_GROWTH = 1.5
const JOIN_STEADY_MS = 10_000

/** Every answer to a ping is one node more, so the table is asked again this often even when all is well. */
const JOIN_CALM_MS = 60_000

/**
 * A node of our own Mainline DHT (BEP 5), listening when this resolves; it goes on looking for the other bootstraps.
 * @throws NetworkError PORT_IN_USE, BAD_ADDRESS
 * @throws RangeError for a `maxAgeMs` that is not positive: peers would never be forgotten
 */
export async function startMainlineNode(options: MainlineNodeOptions): Promise<MainlineNode> {
  if (!(options.maxAgeMs > 0)) throw new RangeError('announced peers need an age at which they are forgotten')
  if (options.nodeId !== undefined && options.nodeId.length !== 20) throw new RangeError('a Mainline node id has 20 bytes')
  const host = await ipv4Of(options.host)
  const port = await freeUdpPort(host, options.port, '--port (Mainline takes the port after it)')
  const dht = new DHT({
    ...(options.nodeId === undefined ? {} : { nodeId: Buffer.from(options.nodeId) }),
    bootstrap: [],
    maxAge: options.maxAgeMs,
    socket: new GuardedDatagramSocket(),
  })
  boundAnnouncedPeers(dht, { maxAgeMs: options.maxAgeMs, now: () => performance.now(), random: Math.random })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  dht.on('error', reject)
  dht.listen(port, host, resolve)
  try {
    await promise
  } catch (cause) {
    dht.destroy(() => {})
    throw portError(host, port, cause, '--port (Mainline takes the port after it)')
  }
  return new Mainline(dht, host, port, options)
}

class Mainline implements MainlineNode {
  readonly host: string
  readonly port: number
  readonly #dht: DHT
  readonly #timers: Timers
  readonly #bootstrap: readonly Endpoint[]
  #joinDelayMs = JOIN_FIRST_MS
  #cancelJoin: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(dht: DHT, host: string, port: number, { bootstrap, nodes, timers, onNotice }: MainlineNodeOptions) {
    this.host = host
    this.port = port
    this.#dht = dht
    this.#timers = timers
    this.#bootstrap = bootstrap.filter((entry) => entry.host !== host || entry.port !== port)
    dht.removeAllListeners('error')
    dht.on('error', (error: Error) => onNotice?.(`Mainline DHT: ${error.message}`))
    for (const { host, port } of (nodes ?? []).filter(isDialable).slice(0, NODES_KEPT_MAX)) dht.addNode({ host, port })
    void this.#join()
  }

  get nodeId(): Uint8Array {
    return this.#dht.nodeId
  }

  get nodeCount(): number {
    return this.#dht.nodes.toArray().length
  }

  nodes(): readonly Endpoint[] {
    const kept = this.#dht.nodes.toArray().slice(0, NODES_KEPT_MAX)
    return kept.map(({ host, port }) => ({ host, port }))
  }

  /** Up to 200 peers, each once, within 5 s. @throws NetworkError CLOSED, or the signal's reason */
  async lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly Endpoint[]> {
    signal?.throwIfAborted()
    if (this.#closed !== undefined) throw new NetworkError('CLOSED', 'the Mainline node is closed')
    const found = new Map<string, Endpoint>()
    const onPeer = ({ host, port }: Endpoint, of: Buffer): void => {
      if (found.size < LOOKUP_PEERS_MAX && of.toString('hex') === infoHash) found.set(`${host}:${port}`, { host, port })
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const finish = () => resolve()
    const cancelTimeout = this.#timers.after(LOOKUP_MS_MAX, finish)
    this.#dht.on('peer', onPeer)
    signal?.addEventListener('abort', finish, { once: true })
    // An error means only that nobody could be asked, which an empty answer says as well.
    const stop = this.#dht.lookup(infoHash, finish)
    await promise
    stop()
    cancelTimeout()
    signal?.removeEventListener('abort', finish)
    this.#dht.off('peer', onPeer)
    signal?.throwIfAborted()
    return [...found.values()]
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#cancelJoin?.()
      this.#dht.destroy(resolve)
    })
    return this.#closed
  }

  /** Asks the bootstraps that are not in the table, quickly at first: all of a network may be starting together. */
  async #join(): Promise<void> {
    const known = new Set(this.nodes().map(({ host, port }) => `${host}:${port}`))
    let missing = 0
    for (const entry of this.#bootstrap) {
      const host = await dialableIpv4Of(entry.host).catch(() => undefined)
      if (this.#closed !== undefined) return
      if (host === undefined || known.has(`${host}:${entry.port}`)) continue
      missing++
      this.#dht.addNode({ host, port: entry.port })
    }
    const delayMs = missing > 0 ? this.#joinDelayMs : JOIN_CALM_MS
    this.#joinDelayMs = missing > 0 ? Math.min(delayMs * JOIN_GROWTH, JOIN_STEADY_MS) : JOIN_FIRST_MS
    this.#cancelJoin = this.#timers.after(delayMs, () => void this.#join())
  }
}
