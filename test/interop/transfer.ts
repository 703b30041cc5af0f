import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFrom } from '../../src/torrent/create.fs.ts'
import type { Encryption } from '../../src/torrent/engine.ts'
import { magnetOf } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { withSources } from '../../src/torrent/torrent-file.ts'
import { clientOf, resultOf, sha256Of, torrentFileOf } from '../cluster/client-nodes.ts'
import type { ClusterNode } from '../cluster/cluster.ts'
import type { Network } from './network.ts'
import { type Direction, type Endpoint, type Job, type Program, type ProgramEncryption, until, type Way } from './program.ts'

// One file from p2pt to a program, or the other way, and whether what came is what was sent.

/** More than a few pieces; Transmission 3.00 paces itself, and takes 25 s for 20 MB. */
const FILE_BYTES = 1_500_000

export type Transfer = {
  readonly program: Program
  readonly direction: Direction
  readonly encryption: ProgramEncryption
  readonly p2pt: Encryption
  readonly way: Way
  readonly withinMs: number
}

/** @throws Error with the last output of both programs if the file does not arrive, or its sha-256 differs */
export async function transfer(network: Network, { direction, ...rest }: Transfer): Promise<void> {
  await network.onHost(async (host) => {
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-interop-'))
    try {
      const there = join(directory, 'there')
      const here = join(directory, 'here')
      for (const each of [there, here, join(directory, 'home')]) await mkdir(each)
      const name = `${direction}-${host.at.host}.bin`
      const file = join(direction === 'seeds' ? there : here, name)
      await writeFile(file, randomBytes(FILE_BYTES))
      const node = network.client(rest.p2pt)
      const exchange = { ...rest, network, node, host, directory, name, file, sha256: await sha256Of(file) }
      await (direction === 'seeds' ? programSeeds(exchange, there, here) : programLeeches(exchange, there))
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
}

type Exchange = Omit<Transfer, 'direction'> & {
  network: Network
  node: ClusterNode
  host: { at: Endpoint; prefix: readonly string[] }
  directory: string
  name: string
  file: string
  sha256: string
}

/** The program has the file; p2pt is given the magnet link, and downloads it. */
async function programSeeds(exchange: Exchange, there: string, here: string): Promise<void> {
  const { network, node, way, withinMs, name, file, sha256, host } = exchange
  const made = await createFrom([file], { nodes: network.dht.slice(0, 1) }, sha1)
  const client = await clientOf(node)
  const trackers = way === 'tracker' ? network.trackers : []
  const magnet = magnetOf(made) + trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('')
  const torrentFile = trackers.length === 0 ? made.torrentFile : withSources(made.torrentFile, { trackers, webSeeds: [] })
  // It must be there before the program looks for it.
  if (way === 'named to it') await client.add({ magnet, directory: here })
  await running(exchange, 'seeds', torrentFile, there, async () => {
    if (way !== 'named to it')
      await client.add({ magnet: `${magnet}${namedPeer(way, host.at)}`, directory: here, public: way === 'tracker' })
    const stateOf = async () => (await client.clientStatus()).torrents.find(({ infoHash }) => infoHash === made.infoHash)
    await until('p2pt has it', async () => (await stateOf())?.state === 'seeding', withinMs).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await stateOf())}`)
    })
    if ((await sha256Of(join(here, name))) !== sha256) throw new Error('what came is not what was sent')
  })
  await client.remove(made.infoHash, { deleteFiles: false })
}

/** p2pt publishes the file; the program is given the torrent file of it, and downloads it. */
async function programLeeches(exchange: Exchange, there: string): Promise<void> {
  const { network, node, way, withinMs, name, file, sha256, host } = exchange
  const client = await clientOf(node)
  const { infoHash, magnet } = await resultOf(client.publish({ path: file }))
  if (way === 'tracker') {
    await client.changeSources(infoHash, { public: true, addTrackers: network.trackers })
    // Who asks before it is announced hears of nobody, and asks again after ten minutes.
    const isAnnounced = async () => (await client.sources(infoHash)).sources.every(({ state }) => state === 'works')
    await until('p2pt is announced', isAnnounced, withinMs)
  }
  const torrentFile =
    way === 'tracker'
      ? Buffer.from((await client.torrentFile(infoHash)).torrentFile, 'base64')
      : await torrentFileOf(node, infoHash)
  await running(exchange, 'leeches', torrentFile, there, async () => {
    if (way === 'named to p2pt') await client.add({ magnet: `${magnet}${namedPeer(way, host.at)}` })
    const came = join(there, name)
    await until('the program has it', async () => existsSync(came) && (await sha256Of(came)) === sha256, withinMs)
  })
  await client.remove(infoHash, { deleteFiles: false })
}

/** Runs the program while something is done. */
async function running(
  { network, node, program, encryption, way, host, directory }: Exchange,
  direction: Direction,
  torrent: Uint8Array,
  files: string,
  what: () => Promise<void>,
): Promise<void> {
  const torrentFile = join(directory, 'it.torrent')
  await writeFile(torrentFile, torrent)
  const job: Job = {
    ...{ direction, encryption, files, torrentFile, ...host },
    home: join(directory, 'home'),
    ...(way === 'named to it' ? { peer: network.endpointOf(node) } : {}),
    ...(way === 'private DHT' ? { dht: network.dht } : {}),
  }
  const { process, ready } = await program.start(job)
  try {
    await ready()
    await what()
  } catch (error) {
    const peers = (await (await clientOf(node)).torrentPeers({})).map((peer) => JSON.stringify(peer)).join('\n')
    throw new Error(`${(error as Error).message}\n${program.name}: ${process.lastWords}\npeers of p2pt: ${peers}`)
  } finally {
    await process.end()
  }
}

const namedPeer = (way: Way, { host, port }: Endpoint): string => (way === 'named to p2pt' ? `&x.pe=${host}:${port}` : '')
