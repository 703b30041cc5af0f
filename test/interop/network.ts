import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Encryption } from '../../src/torrent/engine.ts'
import { Cluster, type ClusterNode } from '../cluster/cluster.ts'
import { type Hosts, namespaces } from '../cluster/hosts.ts'
import type { Endpoint } from './program.ts'
import { ProgramProcess } from './program.ts'

// A private network of p2pt: a bootstrap, a client for each setting of encryption, as the command line starts them, each on a
// host of its own; nodes that make its DHT larger; and hosts for the other programs, which refuse peers on loopback.

const P2PT = ['allow', 'require', 'refuse'] as const satisfies readonly Encryption[]
const NODES = 1 + P2PT.length
const DHT_NODES = 10
const DHT_NODES_PORT = 4_800
/** Of the p2pt bootstrap: UDP, the one after its overlay's. */
const MAINLINE_STEP = 1
const PROGRAM_PORT = 20_000

/** libtorrent asks no two nodes of one /24 for anything. */
const addressOf = (at: number): string => `10.77.${at + 1}.1`

/** Gives a host another address. */
function move(prefix: readonly string[], address: string): void {
  const ip = (...words: string[]) => execFileSync(prefix[0] ?? '', [...prefix.slice(1), 'ip', '-4', 'addr', ...words])
  ip('flush', 'dev', 'eth0')
  ip('add', `${address}/16`, 'dev', 'eth0')
}

function apart(hosts: Hosts): Hosts {
  for (let at = 0; at < hosts.count; at++) move(hosts.prefix(at), addressOf(at))
  return { ...hosts, address: addressOf }
}

export class Network {
  readonly #hosts: Hosts
  readonly #cluster: Cluster
  readonly #dhtNodes: ProgramProcess
  readonly #freeHosts: number[]
  readonly #waiting: ((host: number) => void)[] = []
  #jobs = 0

  private constructor(hosts: Hosts, cluster: Cluster, dhtNodes: ProgramProcess) {
    this.#hosts = hosts
    this.#cluster = cluster
    this.#dhtNodes = dhtNodes
    this.#freeHosts = Array.from({ length: hosts.count - NODES - 1 }, (_, at) => NODES + 1 + at)
  }

  /** @param programs that run at a time */
  static async start(programs: number): Promise<Network> {
    const hosts = apart(namespaces(NODES + 1 + programs))
    const cluster = new Cluster(
      { ...hosts, count: NODES },
      {
        bootstraps: 1,
        clients: P2PT.length,
        clientFlags: (client) => ['--plain-peers', '--encryption', P2PT[client] ?? 'allow'],
      },
    )
    const words = [process.execPath, join(import.meta.dirname, 'dht-nodes.ts'), hosts.address(NODES), String(DHT_NODES_PORT)]
    const entry = [hosts.address(0), String(hosts.port(0) + MAINLINE_STEP)]
    const dhtNodes = new ProgramProcess(hosts.prefix(NODES), [...words, String(DHT_NODES), ...entry], '/')
    const network = new Network(hosts, cluster, dhtNodes)
    try {
      await cluster.startInGroups(2)
      return network
    } catch (error) {
      await network.end()
      throw error
    }
  }

  /** The client with this setting. */
  client(encryption: Encryption): ClusterNode {
    return this.#cluster.at(1 + P2PT.indexOf(encryption))
  }

  endpointOf(node: ClusterNode): Endpoint {
    return { host: this.#hosts.address(node.index), port: this.#hosts.port(node.index) }
  }

  /** Nodes of the private DHT, its entry point first. */
  get dht(): readonly Endpoint[] {
    const host = this.#hosts.address(NODES)
    const others = Array.from({ length: DHT_NODES }, (_, at) => ({ host, port: DHT_NODES_PORT + at }))
    return [{ host: this.#hosts.address(0), port: this.#hosts.port(0) + MAINLINE_STEP }, ...others]
  }

  /** A host for one program, with an address that none before it had: what others know of an address stays with it. */
  async onHost<T>(use: (host: { at: Endpoint; prefix: readonly string[] }) => Promise<T>): Promise<T> {
    const host = this.#freeHosts.shift() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)))
    try {
      const address = addressOf(this.#hosts.count + this.#jobs++)
      const prefix = this.#hosts.prefix(host)
      move(prefix, address)
      return await use({ at: { host: address, port: PROGRAM_PORT }, prefix })
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#freeHosts.push(host)
      else next(host)
    }
  }

  get lastWords(): string {
    return this.#cluster.nodes.map(({ lastWords }) => lastWords.slice(-400)).join('\n')
  }

  async end(): Promise<void> {
    await this.#dhtNodes.end()
    await this.#cluster.end()
    this.#hosts.down()
  }
}
