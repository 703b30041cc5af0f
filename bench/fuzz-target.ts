import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connectNode, type RemoteNode } from '../src/control/index.ts'
import type { ClientService } from '../src/roles/index.ts'
import { HonestNetwork } from '../test/attacks/network.ts'
import type { Reading } from '../test/attacks/probe.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import type { MangledTorrent } from '../test/torrent/mangled/mangled-messages.ts'

// The client under test: a process of the built program in a network of its own, that shares one torrent, waits for the
// metainfo of another, and downloads a third again and again from an honest seeder, whose rate makes that take a while.

const ANSWER_MS_MAX = 30_000
const PAYLOAD_BYTES = 16 * 1024 * 1024
const SHARED_BYTES = 1024 * 1024
const SEEDER_BYTES_PER_SECOND = 4_000_000
/** Before, as fast as they come. */
const WARM_DOWNLOADS = 5
/** Under attack; alone it takes four seconds. */
const DOWNLOAD_MS_MAX = 180_000
const PIECE_BYTES = 16 * 1024
const FILE = 'payload.bin'

/** `asItIsBytes`: resident when it was looked at, before anything was collected for the others (see `Reading`). */
export type Memory = Omit<Reading, 'delayMsP99' | 'turnMsMax'> & { readonly asItIsBytes: number }

export class FuzzTarget {
  readonly torrents: readonly MangledTorrent[]
  readonly port: number
  readonly dhtPort: number
  /** Honest downloads that came, and what went wrong with others. */
  downloads = 0
  readonly failures: string[] = []
  readonly #network: HonestNetwork
  readonly #directory: string
  readonly #remote: RemoteNode
  readonly #magnets: readonly string[]
  readonly #seederPort: number
  readonly #sha256: string

  private constructor(
    network: HonestNetwork,
    directory: string,
    remote: RemoteNode,
    has: { magnets: readonly string[]; seederPort: number; sha256: string; port: number; dhtPort: number },
  ) {
    this.#network = network
    this.#directory = directory
    this.#remote = remote
    this.#magnets = has.magnets
    this.#seederPort = has.seederPort
    this.#sha256 = has.sha256
    this.port = has.port
    this.dhtPort = has.dhtPort
    const pieces = [PAYLOAD_BYTES, SHARED_BYTES, PAYLOAD_BYTES].map((bytes) => bytes / PIECE_BYTES)
    this.torrents = has.magnets.map((magnet, at) => ({
      infoHash: Buffer.from(infoHashOf(magnet), 'hex'),
      pieceCount: pieces[at] ?? 1,
      pieceBytes: PIECE_BYTES,
    }))
  }

  static async start(engine: string): Promise<FuzzTarget> {
    const clientFlags = ['--plain-peers', '--engine', engine]
    const network = await HonestNetwork.start({ bootstraps: 1, indexNodes: 1, clients: 2, clientFlags })
    const directory = mkdtempSync(join(tmpdir(), 'p2pt-bench-fuzz-'))
    const payload = randomBytes(PAYLOAD_BYTES)
    const [file, shared] = [join(directory, FILE), join(directory, 'shared.bin')]
    writeFileSync(file, payload)
    writeFileSync(shared, randomBytes(SHARED_BYTES))
    const [seeder, target] = await Promise.all([remoteOf(network.client(0)), remoteOf(network.client(1))])
    const seeding = seeder.client as ClientService
    const magnet = await published(seeding, file)
    const shares = await published(target.client as ClientService, shared)
    const waited = `magnet:?xt=urn:btih:${randomBytes(20).toString('hex')}`
    await (target.client as ClientService).add({ magnet: waited })
    const { torrentPort, mainlineDht } = await target.node.status()
    const { torrentPort: seederPort } = await seeder.node.status()
    const made = new FuzzTarget(network, directory, target, {
      magnets: [magnet, shares, waited],
      seederPort: seederPort ?? 0,
      sha256: createHash('sha256').update(payload).digest('hex'),
      port: torrentPort ?? 0,
      dhtPort: mainlineDht?.port ?? 0,
    })
    // What honest work leaves in memory is no attack's.
    for (let count = 0; count < WARM_DOWNLOADS; count++) await made.download()
    made.downloads = 0
    await seeding.configure({ uploadBytesPerSecond: SEEDER_BYTES_PER_SECOND })
    return made
  }

  get runs(): boolean {
    return this.#node.runs
  }

  get lastWords(): string {
    return this.#node.lastWords
  }

  get #node(): ClusterNode {
    return this.#network.client(1)
  }

  get #client(): ClientService {
    return this.#remote.client as ClientService
  }

  /** Names peers of one of its torrents to it, as its operator would: it dials them. */
  async offer(place: number, endpoints: readonly string[]): Promise<void> {
    const peers = endpoints.map((endpoint) => `&x.pe=${endpoint}`).join('')
    await this.#client.add({ magnet: `${this.#magnets[place]}${peers}`, directory: this.#into })
  }

  /** Downloads from the honest seeder once, and looks at what came. */
  async download(): Promise<void> {
    const [magnet = ''] = this.#magnets
    const infoHash = infoHashOf(magnet)
    const until = Date.now() + DOWNLOAD_MS_MAX
    await this.offer(0, [`127.0.0.1:${this.#seederPort}`])
    for (;;) {
      const { torrents } = await this.#client.clientStatus()
      const row = torrents.find((each) => each.infoHash === infoHash)
      if (row?.state === 'seeding') break
      if (row?.problem) throw new Error(`the honest download has a problem: ${row.problem}`)
      if (Date.now() > until) throw new Error(`the honest download is at ${row?.piecesVerified} of ${row?.pieceCount} pieces`)
      await wait(200)
    }
    const sha256 = createHash('sha256')
      .update(readFileSync(join(this.#into, FILE)))
      .digest('hex')
    await this.#client.remove(infoHash, { deleteFiles: true })
    if (sha256 !== this.#sha256) throw new Error('what came is not what was published')
    this.downloads++
  }

  /** One download behind the other. */
  async downloadUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.runs) await this.download().catch((error: Error) => this.#failed(error.message))
  }

  get residentBytes(): number {
    return this.#node.memoryBytes
  }

  async memory(): Promise<Memory> {
    const asItIsBytes = this.residentBytes
    const reading = await this.#network.probe(this.#node)
    const { keptBytes = Number.NaN, residentBytes = Number.NaN, delayMsMax = Number.NaN } = reading ?? {}
    return { asItIsBytes, residentBytes, keptBytes, delayMsMax }
  }

  async end(): Promise<void> {
    await this.#network.end()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #failed(what: string): Promise<void> {
    // Once it does not run any more, that is what is told.
    if (this.runs) this.failures.push(what)
    await wait(500)
  }

  get #into(): string {
    return join(this.#directory, 'into')
  }
}

const remoteOf = (node: ClusterNode): Promise<RemoteNode> => connectNode(node.directory, { answerMsMax: ANSWER_MS_MAX })

const infoHashOf = (magnet: string): string => /btih:([0-9a-f]{40})/.exec(magnet)?.[1] ?? ''

async function published(client: ClientService, path: string): Promise<string> {
  const publishing = client.publish({ path })
  for (;;) {
    const step = await publishing.next()
    if (step.done === true) return step.value.magnet
  }
}
