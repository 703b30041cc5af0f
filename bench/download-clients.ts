import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { RemoteNode } from '../src/control/index.ts'
import type { ClientService } from '../src/roles/index.ts'
import { clientOf, remoteOf, resultOf, sha256Of, torrentFileOf } from '../test/cluster/client-nodes.ts'
import { Cluster, type ClusterNode } from '../test/cluster/cluster.ts'
import { loopback } from '../test/cluster/hosts.ts'
import type { DownloadRun } from './download-run.ts'

// Running client processes of one network on loopback: some publish the same file, a last one downloads it, from the
// command to the last piece, and what came is compared with what was published by its sha-256.

const DONE_WITHIN_MS = 600_000

export class Clients {
  readonly #cluster: Cluster
  readonly #directory: string
  readonly #file: string
  readonly #sha256: string
  #magnet = ''

  private constructor(cluster: Cluster, directory: string, file: string, sha256: string) {
    this.#cluster = cluster
    this.#directory = directory
    this.#file = file
    this.#sha256 = sha256
  }

  /** A network with so many seeders of the file, and a client that has nothing. */
  static async start(directory: string, file: string, seeders: number): Promise<Clients> {
    const hosts = await loopback(seeders + 2)
    const cluster = new Cluster(hosts, { bootstraps: 1, clients: seeders + 1, clientFlags: () => ['--plain-peers'] })
    const clients = new Clients(cluster, directory, file, await sha256Of(file))
    await cluster.startInGroups(2)
    for (const seeder of clients.#seeders) {
      const published = await resultOf((await clientOf(seeder)).publish({ path: file }))
      clients.#magnet = published.magnet
    }
    return clients
  }

  end(): Promise<void> {
    return this.#cluster.end()
  }

  get #seeders(): readonly ClusterNode[] {
    return this.#cluster.nodes.slice(1, -1)
  }

  get #leecher(): ClusterNode {
    return this.#cluster.at(this.#cluster.nodes.length - 1)
  }

  /** From the other clients. */
  download(): Promise<DownloadRun> {
    return this.#run(this.#seeders.map((seeder) => this.#cluster.hosts.port(seeder.index)))
  }

  /** @returns the path of what was published, as a .torrent file */
  async torrentFile(): Promise<string> {
    const path = join(this.#directory, 'seeded.torrent')
    writeFileSync(path, await torrentFileOf(this.#publisher, await this.#infoHash()))
    return path
  }

  get #publisher(): ClusterNode {
    const [seeder] = this.#seeders
    if (seeder === undefined) throw new Error('nobody has published it')
    return seeder
  }

  async #infoHash(): Promise<string> {
    const { torrents } = await (await clientOf(this.#publisher)).clientStatus()
    return torrents[0]?.infoHash ?? ''
  }

  /** From libtorrent instead, which is started for it. */
  async downloadFrom(python: string, script: string, settings: string): Promise<DownloadRun> {
    const torrentFile = await this.torrentFile()
    const infoHash = await this.#infoHash()
    const child = spawn(python, [script, 'seed', this.#file, torrentFile, settings], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      // The clients that have it stand aside.
      for (const each of this.#seeders) await (await clientOf(each)).pause(infoHash)
      return await this.#run([Number(said.toString())])
    } finally {
      for (const each of this.#seeders) await (await clientOf(each)).resume(infoHash)
      await ended(child)
    }
  }

  async #run(ports: readonly number[]): Promise<DownloadRun> {
    const leecher = this.#leecher
    const remote = await remoteOf(leecher)
    const client = remote.client as ClientService
    const peers = ports.map((port) => `&x.pe=127.0.0.1:${port}`).join('')
    const into = mkdtempSync(join(this.#directory, 'into-'))
    const before = {
      leecher: leecher.cpuSeconds,
      seeders: this.#cpuOfSeeders(),
      memory: leecher.memoryBytes,
      head: await headOf(remote),
    }
    let most = before.memory
    const startedAt = Date.now()
    const { infoHash } = await client.add({ magnet: `${this.#magnet}${peers}`, directory: into })
    const times = await this.#times(remote, infoHash, before.head, () => {
      most = Math.max(most, leecher.memoryBytes)
    })
    const after = { leecher: leecher.cpuSeconds, seeders: this.#cpuOfSeeders() }
    const sha256 = await sha256Of(join(into, basename(this.#file)))
    if (sha256 !== this.#sha256) throw new Error('what came is not what was published')
    await client.remove(infoHash, { deleteFiles: true })
    rmSync(into, { recursive: true, force: true })
    return {
      ms: times.done - startedAt,
      firstMs: times.first - startedAt,
      leecherCpu: after.leecher - before.leecher,
      seederCpu: after.seeders - before.seeders,
      memoryBytes: most - before.memory,
    }
  }

  /** When the leecher's log says that the first pieces were verified, and that all were; each look is called back for. */
  async #times(remote: RemoteNode, infoHash: string, from: number, look: () => void): Promise<{ first: number; done: number }> {
    let first: number | undefined
    for (const until = Date.now() + DONE_WITHIN_MS; Date.now() < until; ) {
      look()
      for await (const row of remote.node.events({ from: from + 1 })) {
        const event = row.event as { kind: string; infoHash?: string }
        if (event.infoHash !== infoHash) continue
        if (event.kind === 'download.verified') first ??= row.at
        if (event.kind === 'download.completed') return { first: first ?? row.at, done: row.at }
      }
      await wait(100)
    }
    throw new Error('the download did not end')
  }

  #cpuOfSeeders(): number {
    return this.#seeders.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  }
}

const headOf = async (remote: RemoteNode): Promise<number> => (await remote.node.status()).log.head

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.stdin?.end()
  await exit
}
