import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { BadPiece, Clock, FileChange, FileStampAt, InfoHash, NodeId, PeerId, PieceRange } from '../../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { createTcpEngine } from '../../src/torrent/engine.tcp.ts'
import type { EngineOptions, TorrentEngine, TorrentEngineEvents, TorrentMetainfo } from '../../src/torrent/engine.ts'
import { createWebtorrentEngine } from '../../src/torrent/engine.webtorrent.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { TEST_NETWORK, verifySignature } from '../events/test-network.ts'
import { bencode } from './bencode-writer.ts'

// Real engines on loopback with a directory each, and what they said.

export type Judgement = { subject: PeerId; good: readonly PieceRange[]; bad: readonly BadPiece[] }

export type Recorded = {
  described: TorrentMetainfo[]
  /** By a check of the disk. */
  checked: PieceRange[]
  stamped: FileStampAt[]
  changed: FileChange[]
  verified: PieceRange[]
  judged: Judgement[]
  suspected: { index: number; sources: readonly PeerId[] }[]
  completed: InfoHash[]
  failed: { infoHash: InfoHash; problem: string }[]
  peers: { change: 'joined' | 'left'; peer: PeerId }[]
}

export type Node = { engine: TorrentEngine; id: NodeId; directory: string; recorded: Recorded; until: Until }
type Until = (what: (recorded: Recorded) => boolean, withinMs?: number) => Promise<void>

export type OnJudged = (judgement: Judgement, engine: TorrentEngine) => void | Promise<void>
export type NodeOptions = Partial<EngineOptions> & { clock?: Clock; onJudged?: OnJudged; uploadBytesPerSecondMax?: number }

export const NO_LIMITS = {
  ...{ downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, connectionsMax: 0, uploadSlots: 0 },
  ...{ localDownloadBytesPerSecond: 0, localUploadBytesPerSecond: 0 },
  ...{ remoteDownloadBytesPerSecond: 0, remoteUploadBytesPerSecond: 0 },
}

const ENGINES = { p2pt: createTcpEngine, webtorrent: createWebtorrentEngine }
export type EngineName = keyof typeof ENGINES

/** Everything that was opened, closed in reverse. */
export class Lab implements AsyncDisposable {
  readonly engine: EngineName
  readonly #close: (() => Promise<unknown>)[] = []
  #directory: Promise<string> | undefined

  constructor(engine: EngineName) {
    this.engine = engine
  }

  async directory(name: string): Promise<string> {
    this.#directory ??= mkdtemp(join(tmpdir(), 'p2pt-torrent-'))
    const directory = join(await this.#directory, name)
    await mkdir(directory, { recursive: true })
    return directory
  }

  async node(name: string, options: NodeOptions = {}): Promise<Node> {
    const { onJudged, uploadBytesPerSecondMax: uploadBytesPerSecond, ...engineOptions } = options
    const directory = await this.directory(name)
    const signer = signerFromSeed(randomSeed(), TEST_NETWORK)
    const engine = ENGINES[this.engine]({
      host: '127.0.0.1',
      port: 0,
      dhtBootstrap: [],
      identity: { ...signer, verify: verifySignature },
      clock: systemClock,
      timers: systemTimers,
      ...engineOptions,
    })
    const { recorded, until, events } = recorder((judgement) => onJudged?.(judgement, engine))
    engine.listen(events)
    if (uploadBytesPerSecond !== undefined) engine.configure({ ...NO_LIMITS, uploadBytesPerSecond })
    await engine.start(new AbortController().signal)
    this.defer(async () => engine[Symbol.asyncDispose]())
    return { engine, id: signer.id, directory, recorded, until }
  }

  /** A node that serves random files, its torrent, and the bytes. */
  async seeder(name: string, sizes: Readonly<Record<string, number>>, options: NodeOptions = {}) {
    const node = await this.node(name, options)
    const files = new Map<string, Uint8Array>()
    for (const [path, size] of Object.entries(sizes)) {
      const bytes = randomBytes(size)
      files.set(path, bytes)
      await mkdir(dirname(join(node.directory, path)), { recursive: true })
      await writeFile(join(node.directory, path), bytes)
    }
    const top = [...new Set(Object.keys(sizes).map((path) => join(node.directory, path.split('/')[0] ?? path)))]
    const metainfo = await node.engine.create(top, {})
    await seed(node, metainfo, metainfo.directory, metainfo.stamps)
    return { ...node, metainfo, files }
  }

  /** One random file as a torrent with pieces of this length, seeded by each of these nodes. */
  async shared(seeders: readonly Node[], sizeBytes: number, pieceLengthBytes: number) {
    const directory = await this.directory('shared')
    const bytes = randomBytes(sizeBytes)
    await writeFile(join(directory, 'shared.bin'), bytes)
    const hashes: Uint8Array[] = []
    for (let at = 0; at < sizeBytes; at += pieceLengthBytes) {
      hashes.push(
        createHash('sha1')
          .update(bytes.subarray(at, at + pieceLengthBytes))
          .digest(),
      )
    }
    const info = { length: sizeBytes, name: 'shared.bin', 'piece length': pieceLengthBytes, pieces: Buffer.concat(hashes) }
    const metainfo = checkTorrentFile(bencode({ info }), sha1)
    for (const node of seeders) await seed(node, metainfo, directory)
    return { metainfo, bytes }
  }

  /** A torrent of zeros that is private (BEP 27), seeded by this node. */
  async privateTorrent(node: Node, sizeBytes: number) {
    const directory = await this.directory('private')
    const bytes = new Uint8Array(sizeBytes)
    await writeFile(join(directory, 'private.bin'), bytes)
    const pieces = createHash('sha1').update(bytes).digest()
    const info = { length: sizeBytes, name: 'private.bin', 'piece length': 65_536, pieces, private: 1 }
    const metainfo = checkTorrentFile(bencode({ info }), sha1)
    await seed(node, metainfo, directory)
    return metainfo
  }

  defer(close: () => Promise<unknown>): void {
    this.#close.push(close)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close.reverse()) await close()
    if (this.#directory !== undefined) await rm(await this.#directory, { recursive: true, force: true })
  }
}

export const everything = (metainfo: TorrentMetainfo): PieceRange[] => [{ first: 0, count: metainfo.pieceCount }]

/** Serves a torrent whose files stand in `directory`. */
export async function seed(
  node: Node,
  metainfo: TorrentMetainfo,
  directory: string,
  stamps: readonly FileStampAt[] = [],
): Promise<void> {
  const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
  await node.engine.add(source, { directory, verified: everything(metainfo), stamps })
  await eventually(() => node.engine.status(metainfo.infoHash)?.state === 'seeding')
}

export async function download(node: Node, metainfo: TorrentMetainfo, from: readonly Node[]): Promise<void> {
  const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
  await node.engine.add(source, { directory: node.directory })
  await dial(node, metainfo.infoHash, from)
}

/** Dials once the torrent is up. */
export async function dial(node: Node, infoHash: InfoHash, peers: readonly Node[]): Promise<void> {
  await eventually(() => node.engine.status(infoHash)?.state !== 'checking')
  for (const peer of peers) node.engine.connect(infoHash, '127.0.0.1', peer.engine.port)
}

export const digestOf = async (path: string): Promise<string> => sha256(await readFile(path))
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Dials again and again, as a node does that learns an address from gossip, until it came to something. */
export const dialUntil = (node: Node, infoHash: InfoHash, peer: Node, what: () => boolean): Promise<void> =>
  eventually(() => {
    node.engine.connect(infoHash, '127.0.0.1', peer.engine.port)
    return what()
  })

/** Looks again at every turn of the event loop that follows a few ms of others' work. */
export async function eventually(what: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const countOf = (ranges: readonly PieceRange[]): number => ranges.reduce((sum, range) => sum + range.count, 0)

function recorder(onJudged: (judgement: Judgement) => void | Promise<void>) {
  const recorded: Recorded = {
    ...{ described: [], checked: [], stamped: [], changed: [], verified: [] },
    ...{ judged: [], suspected: [], completed: [], failed: [], peers: [] },
  }
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of [...waiting]) look()
  }
  const record = <T>(into: T[], ...items: readonly T[]) => {
    into.push(...items)
    changed()
  }
  const events: TorrentEngineEvents = {
    described: (metainfo) => record(recorded.described, metainfo),
    checked: (_, found) => {
      recorded.stamped.push(...found.stamps)
      record(recorded.checked, ...found.pieces)
    },
    stamped: (_, stamps) => record(recorded.stamped, ...stamps),
    changed: (_, change) => record(recorded.changed, change),
    verified: (_, pieces) => record(recorded.verified, ...pieces),
    judged: (_, subject, good, bad) => {
      const judgement = { subject, good, bad }
      recorded.judged.push(judgement)
      const decision = onJudged(judgement)
      changed()
      return decision
    },
    suspected: (_, index, sources) => record(recorded.suspected, { index, sources }),
    completed: (infoHash) => record(recorded.completed, infoHash),
    failed: (infoHash, problem) => record(recorded.failed, { infoHash, problem }),
    peer: (_, change, peer) => record(recorded.peers, { change, peer }),
  }
  const until: Until = (what, withinMs = 15_000) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!what(recorded)) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(new Error(`not within ${withinMs} ms: ${what}`))
      }, withinMs)
      waiting.add(look)
      look()
    })
  return { recorded, until, events }
}
