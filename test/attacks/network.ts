import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../../src/events/model/time.system.ts'
import { topicOf } from '../../src/roles/compose.ts'
import { type OwnerFolder, openOwnerFolder } from '../../src/roles/owner/owner-folder.fs.ts'
import { build } from '../cli/program.ts'
import { Cluster, type ClusterNode } from '../cluster/cluster.ts'
import { type Hosts, loopback } from '../cluster/hosts.ts'
import type { Reading } from './probe.ts'

const PROBE = pathToFileURL(join(import.meta.dirname, 'probe.ts')).href
/** Starting all on a busy machine. */
const STARTED_WITHIN_S = 120
/** A node that does not answer for so long has a fault, however busy the machine is. */
const PROBE_MS_MAX = 20_000
const RESTARTED_WITHIN_MS = 8_000

export type Composition = {
  readonly bootstraps: number
  readonly indexNodes: number
  readonly clients: number
  /** Further clients that are not started with the others: newcomers of later. */
  readonly newcomers: number
  /** Further flags of each client's start. */
  readonly clientFlags: readonly string[]
}

const USUAL: Composition = { bootstraps: 2, indexNodes: 3, clients: 2, newcomers: 0, clientFlags: [] }

/** A network of honest nodes on loopback: real processes of the built program, each with the probe in it. */
export class HonestNetwork {
  readonly cluster: Cluster
  readonly #composition: Composition
  readonly #probes: string
  readonly #restarted = new Map<ClusterNode, number>()

  private constructor(cluster: Cluster, composition: Composition, probes: string) {
    this.cluster = cluster
    this.#composition = composition
    this.#probes = probes
  }

  /** Resolves when all are linked, and alive in all tables. */
  static async start(composition: Partial<Composition> = {}): Promise<HonestNetwork> {
    build()
    const all = { ...USUAL, ...composition }
    try {
      return await HonestNetwork.#startOnce(all)
    } catch {
      // A port that was free a moment ago is taken, or the machine stood still: what is tested has not begun yet.
      return HonestNetwork.#startOnce(all)
    }
  }

  static async #startOnce(all: Composition): Promise<HonestNetwork> {
    const { bootstraps, indexNodes, clients, newcomers, clientFlags } = all
    const probes = mkdtempSync(join(tmpdir(), 'p2pt-probes-'))
    const hosts = probed(await loopback(bootstraps + indexNodes + clients + newcomers), probes)
    const cluster = new Cluster(hosts, { bootstraps, clients: clients + newcomers, clientFlags: () => clientFlags })
    const network = new HonestNetwork(cluster, all, probes)
    try {
      for (const node of network.nodes) node.start()
      await cluster.allAliveWithin(STARTED_WITHIN_S)
      return network
    } catch (error) {
      await network.end()
      throw error
    }
  }

  /** All that are started at first: bootstraps, then index nodes, then clients. */
  get nodes(): readonly ClusterNode[] {
    return this.cluster.nodes.slice(0, this.cluster.nodes.length - this.#composition.newcomers)
  }

  get newcomers(): readonly ClusterNode[] {
    return this.cluster.nodes.slice(this.nodes.length)
  }

  get members(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role !== 'client')
  }

  get indexNodes(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role === 'index')
  }

  get clients(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role === 'client')
  }

  client(place: number): ClusterNode {
    const client = this.clients[place]
    assert.ok(client)
    return client
  }

  /** Where a node can be dialled, its UDP port. */
  endpoint(node: ClusterNode): { host: string; port: number } {
    const { hosts } = this.cluster
    return { host: hosts.address(node.index), port: hosts.port(node.index) }
  }

  /** With the owner's key: an attacker is invited as its standing says. */
  get owner(): OwnerFolder {
    return openOwnerFolder(this.cluster.ownerFolder, () => systemClock.now())
  }

  get topic(): Uint8Array {
    return topicOf(this.owner.network)
  }

  get bootstrapEndpoints(): readonly { host: string; port: number }[] {
    return this.nodes.filter(({ role }) => role === 'bootstrap').map((node) => this.endpoint(node))
  }

  /** Nodes that do not run any more, with what they said last. */
  get ended(): readonly string[] {
    return this.nodes.filter(({ runs }) => !runs).map(({ lastWords }) => lastWords)
  }

  /** Stops a node as its operator would, and starts it again. */
  async restart(node: ClusterNode): Promise<void> {
    this.#restarted.set(node, performance.now())
    await node.kill('SIGTERM')
    node.start()
    this.#restarted.set(node, performance.now())
  }

  /** Was stopped and started again, at whatever time. */
  wasRestarted(node: ClusterNode): boolean {
    return this.#restarted.has(node)
  }

  /** It stopped a moment ago: that it is not alive in all tables yet is nobody's fault. */
  isRestarting(node: ClusterNode): boolean {
    return performance.now() - (this.#restarted.get(node) ?? Number.NEGATIVE_INFINITY) < RESTARTED_WITHIN_MS
  }

  /** What the probe in this node says; undefined if it does not answer. */
  async probe(node: ClusterNode): Promise<Reading | undefined> {
    try {
      const socket = createConnection(probeSocket(this.#probes, node.index))
      socket.setTimeout(PROBE_MS_MAX, () => socket.destroy())
      const chunks: Buffer[] = []
      for await (const chunk of socket) chunks.push(chunk as Buffer)
      return JSON.parse(Buffer.concat(chunks).toString()) as Reading
    } catch {
      return undefined
    }
  }

  /** Bytes of all that this node keeps, but what it seeds; and of its log alone. */
  diskBytes(node: ClusterNode, part: 'all' | 'log' = 'all'): number {
    try {
      return readdirSync(node.directory, { recursive: true, encoding: 'utf8' })
        .filter((file) => part === 'all' || file.startsWith('log/'))
        .filter((file) => !file.startsWith('downloads'))
        .reduce((sum, file) => sum + sizeOf(join(node.directory, file)), 0)
    } catch {
      // LevelDB took a file away between the listing and the look.
      return 0
    }
  }

  async end(): Promise<void> {
    await this.cluster.end()
    rmSync(this.#probes, { recursive: true, force: true })
  }
}

const probeSocket = (directory: string, index: number): string => join(directory, `${index}.sock`)

const probed = (hosts: Hosts, directory: string): Hosts => ({
  ...hosts,
  prefix: (index) => ['env', `NODE_OPTIONS=--import=${PROBE}`, `P2PT_PROBE_SOCKET=${probeSocket(directory, index)}`],
})

function sizeOf(file: string): number {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats?.isFile() ? stats.size : 0
}
