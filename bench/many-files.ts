import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { HonestNetwork } from '../test/attacks/network.ts'
import { clientOf, resultOf } from '../test/cluster/client-nodes.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import type { BenchContext } from './harness.ts'

const FILES = 50_000
const FOLDERS = 250
const TARGETS = { stallMs: 100, memoryMb: 60 }
const DONE_WITHIN_MS = 300_000
/** Rows are stored a second after the last event, and what was needed for it is let go of. */
const SETTLED_MS = 3_000

/** One client publishes a folder of so many files, another downloads it, and both remove it. */
export async function manyFiles(context: BenchContext, network: HonestNetwork, directory: string): Promise<void> {
  const { note } = context
  const folder = join(directory, 'a folder of many files')
  note(`${FILES} files are written`)
  await writeFiles(folder)
  const [publisher, downloader] = [network.client(0), network.client(1)]
  const watched = (node: ClusterNode, who: string) => new Watched(context, network, node, who)
  const seeding = watched(publisher, 'publisher')
  await seeding.begin()
  const client = await clientOf(publisher)
  const { infoHash, magnet } = await resultOf(client.publish({ path: folder }))
  await seeding.look('published')
  const port = network.cluster.hosts.port(publisher.index)
  const downloading = watched(downloader, 'downloader')
  await downloading.begin()
  const other = await clientOf(downloader)
  await other.add({ magnet: `${magnet}&x.pe=127.0.0.1:${port}`, directory: join(directory, 'into') })
  await within(async () => (await rowOf(other, infoHash))?.state === 'seeding')
  await downloading.look('downloaded')
  await seeding.look('seeded')
  await network.restart(publisher)
  await within(async () => (await rowOf(await clientOf(publisher), infoHash))?.state === 'seeding')
  // The loading of the program, which is in it, is the longest turn of any start.
  await seeding.look('started again', Number.POSITIVE_INFINITY)
  await (await clientOf(publisher)).remove(infoHash, { deleteFiles: false })
  await other.remove(infoHash, { deleteFiles: true })
  await seeding.look('removed')
  await downloading.look('removed')
}

/** What a node takes, and how long its event loop stood still. */
class Watched {
  readonly #context: BenchContext
  readonly #network: HonestNetwork
  readonly #node: ClusterNode
  readonly #who: string
  #before = { kept: 0, resident: 0 }

  constructor(context: BenchContext, network: HonestNetwork, node: ClusterNode, who: string) {
    this.#context = context
    this.#network = network
    this.#node = node
    this.#who = who
  }

  async begin(): Promise<void> {
    // The delays of the first reading are those of before.
    await this.#reading()
    const { keptBytes, residentBytes } = await this.#reading()
    this.#before = { kept: keptBytes, resident: residentBytes }
  }

  async look(when: string, stallMsMax = TARGETS.stallMs): Promise<void> {
    await wait(SETTLED_MS)
    const resident = this.#node.memoryBytes
    const { turnMsMax, delayMsMax, keptBytes, residentBytes } = await this.#reading()
    const row = (what: string, value: number, unit: string, atMost?: number) =>
      this.#context.report({
        name: `${FILES} files, ${this.#who}, ${when}: ${what}`,
        ...{ value, unit },
        ...(atMost === undefined ? {} : { target: { atMost } }),
      })
    // What else the machine does counts in the second.
    row(
      'longest turn of the event loop',
      turnMsMax,
      'ms of its processor time',
      Number.isFinite(stallMsMax) ? stallMsMax : undefined,
    )
    row('worst delay of the event loop', delayMsMax, 'ms')
    row('kept more than before', (keptBytes - this.#before.kept) / 1e6, 'MB', TARGETS.memoryMb)
    row('resident more, after a collection', (residentBytes - this.#before.resident) / 1e6, 'MB')
    row('resident as it is', resident / 1e6, 'MB')
  }

  async #reading() {
    const reading = await this.#network.probe(this.#node)
    if (reading === undefined) throw new Error('the node does not answer')
    return reading
  }
}

async function writeFiles(folder: string): Promise<void> {
  for (let at = 0; at < FOLDERS; at++) {
    const below = join(folder, `part ${at}`)
    await mkdir(below, { recursive: true })
    const names = Array.from({ length: FILES / FOLDERS }, (_, file) => join(below, `file number ${file} of part ${at}.txt`))
    await Promise.all(names.map((name, file) => writeFile(name, `this is file ${file} of part ${at}\n`.repeat(4))))
  }
}

async function rowOf(client: Awaited<ReturnType<typeof clientOf>>, infoHash: string) {
  return (await client.clientStatus()).torrents.find((torrent) => torrent.infoHash === infoHash)
}

async function within(what: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DONE_WITHIN_MS
  while (performance.now() < end) {
    if (await what().catch(() => false)) return
    await wait(250)
  }
  throw new Error(`not within ${DONE_WITHIN_MS / 1_000} s`)
}
