import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connectNode, type RemoteNode } from '../src/control/index.ts'
import type { NodeId, PeerId } from '../src/events/index.ts'
import type { ClientService } from '../src/roles/index.ts'
import { Cluster, type ClusterNode } from '../test/cluster/cluster.ts'
import { loopback } from '../test/cluster/hosts.ts'
import { verdictsOf } from './corrupter-verdicts.ts'

// Clients of one network that have all of a file, honest ones and corrupters, and for each download a client that has just
// joined and knows nothing of any of them.

const ANSWER_MS_MAX = 60_000
const DONE_WITHIN_MS = 300_000
/** Clients that may fail to start. */
const SPARES = 3
/** Of all honest ones; a corrupter has what one of them has. On loopback it would be over before some are connected. */
const HONEST_BYTES_PER_SECOND = 21_000_000

export type Plan = { readonly honest: number; readonly corrupters: number; readonly percent: number }

/** What one download came to. */
export type CorrupterRun = {
  readonly ms: number
  readonly failedPieces: number
  /** Beside the file and the pieces that failed. */
  readonly wasteBytes: number
  /** Bad verdicts on honest peers, and bans of them. */
  readonly falseBlames: number
  readonly blamed: number
  /** Pieces with a verdict that corrupters sent. */
  readonly fromCorrupters: number
  /** Corrupters whose verdicts break the rule, and those of them that were banned. */
  readonly pastTheRule: number
  readonly bannedOfThem: number
}

export class CorrupterClients {
  /** What clients said that did not come up. */
  readonly notStarted: string[] = []
  readonly #cluster: Cluster
  readonly #directory: string
  readonly #file: string
  readonly #sizeBytes: number
  readonly #sha256: string
  readonly #sharing: number
  #magnet = ''
  #infoHash = ''
  #used = 0

  private constructor(
    cluster: Cluster,
    directory: string,
    file: string,
    has: { sizeBytes: number; sha256: string; sharing: number },
  ) {
    this.#cluster = cluster
    this.#directory = directory
    this.#file = file
    this.#sizeBytes = has.sizeBytes
    this.#sha256 = has.sha256
    this.#sharing = has.sharing
  }

  /** @param sharing clients that have the file, half of them honest @param downloads how often it can be downloaded, each time by another client */
  static async start(directory: string, file: string, sizeBytes: number, sharing: number, downloads: number) {
    const clients = sharing + downloads + SPARES
    const cluster = new Cluster(await loopback(clients + 1), { bootstraps: 1, clients, clientFlags: () => ['--allow-corrupt'] })
    const made = new CorrupterClients(cluster, directory, file, { sizeBytes, sha256: await sha256Of(file), sharing })
    try {
      await made.#start()
      return made
    } catch (error) {
      await cluster.end()
      throw error
    }
  }

  async #start(): Promise<void> {
    for (const node of this.#cluster.nodes.slice(0, this.#sharing + 1)) await this.#started(node)
    for (const node of this.#sharers) {
      const publishing = clientOf(await remoteOf(node)).publish({ path: this.#file })
      for (;;) {
        const step = await publishing.next()
        if (step.done !== true) continue
        this.#magnet = step.value.magnet
        break
      }
    }
    this.#infoHash = /btih:([0-9a-f]{40})/.exec(this.#magnet)?.[1] ?? ''
  }

  end(): Promise<void> {
    return this.#cluster.end()
  }

  /** Who has the file: honest ones first, then those that corrupt when they are told to. */
  get #sharers(): readonly ClusterNode[] {
    return this.#cluster.nodes.slice(1, 1 + this.#sharing)
  }

  async download({ honest, corrupters, percent }: Plan): Promise<CorrupterRun> {
    // Who has been honest once is so for ever.
    const half = this.#sharing / 2
    const good = this.#sharers.slice(0, honest)
    const bad = this.#sharers.slice(half, half + corrupters)
    for (const node of this.#sharers) {
      const client = clientOf(await remoteOf(node))
      await client.corrupt(this.#infoHash, bad.includes(node) ? percent : 0)
      await client.configure({ uploadBytesPerSecond: HONEST_BYTES_PER_SECOND / honest })
      // The rest stands aside.
      await (good.includes(node) || bad.includes(node) ? client.resume(this.#infoHash) : client.pause(this.#infoHash))
    }
    const leecher = await this.#newcomer()
    try {
      return await this.#downloadBy(leecher, good, bad)
    } finally {
      await leecher.kill('SIGTERM')
    }
  }

  async #downloadBy(leecher: ClusterNode, good: readonly ClusterNode[], bad: readonly ClusterNode[]): Promise<CorrupterRun> {
    const remote = await remoteOf(leecher)
    const client = clientOf(remote)
    const into = mkdtempSync(join(this.#directory, 'into-'))
    const peers = [...good, ...bad].map(({ index }) => `&x.pe=127.0.0.1:${this.#cluster.hosts.port(index)}`).join('')
    const from = Date.now()
    await client.add({ magnet: `${this.#magnet}${peers}`, directory: into })
    const doneAt = await this.#doneAt(remote)
    const { torrents } = await client.clientStatus()
    const downloaded = torrents.find(({ infoHash }) => infoHash === this.#infoHash)?.downloadedBytes ?? 0
    if ((await sha256Of(join(into, basename(this.#file)))) !== this.#sha256)
      throw new Error('what came is not what was published')
    // A bad piece that several sent is known to be somebody's only now, and verdicts are told in batches.
    await wait(2_000)
    const { failed, sent, blamed, pastTheRule } = await verdictsOf(remote, leecher.id as NodeId, this.#infoHash)
    const scores = await remote.node.scores()
    const banned = new Set(scores.filter(({ standing }) => standing === 'banned').map(({ peer }) => peer))
    rmSync(into, { recursive: true, force: true })
    const corrupters = new Set<PeerId>(bad.map(({ id }) => id as NodeId))
    const count = (peers: Iterable<PeerId>, holds: (peer: PeerId) => boolean): number => [...peers].filter(holds).length
    const isHonest = (peer: PeerId): boolean => !corrupters.has(peer)
    return {
      ms: doneAt - from,
      failedPieces: failed,
      wasteBytes: downloaded - this.#sizeBytes - failed * this.#pieceBytes(torrents),
      falseBlames: count(blamed.keys(), isHonest) + count(banned, isHonest),
      fromCorrupters: [...sent].reduce((sum, [peer, pieces]) => sum + (corrupters.has(peer) ? pieces : 0), 0),
      blamed: count(blamed.keys(), (peer) => corrupters.has(peer)),
      pastTheRule: count(pastTheRule, (peer) => corrupters.has(peer)),
      bannedOfThem: count(pastTheRule, (peer) => corrupters.has(peer) && banned.has(peer)),
    }
  }

  /** A power of two, as all that we publish. */
  #pieceBytes(torrents: readonly { infoHash: string; pieceCount: number }[]): number {
    const count = torrents.find(({ infoHash }) => infoHash === this.#infoHash)?.pieceCount ?? 1
    let bytes = 16_384
    while (Math.ceil(this.#sizeBytes / bytes) > count) bytes *= 2
    return bytes
  }

  async #doneAt({ node }: RemoteNode): Promise<number> {
    for (const until = Date.now() + DONE_WITHIN_MS; Date.now() < until; ) {
      for await (const row of node.events({ kinds: ['download.completed'] }))
        if ((row.event as { infoHash?: string }).infoHash === this.#infoHash) return row.at
      await wait(100)
    }
    throw new Error('the download did not end')
  }

  /** One that does not come up, as when its port was taken, is no download that failed: the next one takes its turn. */
  async #newcomer(): Promise<ClusterNode> {
    for (let spare = SPARES; ; spare--) {
      const node = this.#cluster.at(1 + this.#sharing + this.#used++)
      try {
        await this.#started(node)
        return node
      } catch (error) {
        await node.kill()
        this.notStarted.push(String(error))
        if (spare === 0) throw error
      }
    }
  }

  /** Its key is known from here on. */
  async #started(node: ClusterNode): Promise<void> {
    node.start()
    await this.#cluster.within(60, `node ${node.index} is ready`, async () =>
      (await node.status())?.ready === true ? [] : [node.lastWords],
    )
  }
}

const remoteOf = (node: ClusterNode): Promise<RemoteNode> => connectNode(node.directory, { answerMsMax: ANSWER_MS_MAX })
const clientOf = (remote: RemoteNode): ClientService => remote.client as ClientService

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
