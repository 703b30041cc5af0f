import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BULK_ITEMS_MAX, type BulkOutcome, type ClientService } from '../src/roles/index.ts'
import { HonestNetwork } from '../test/attacks/network.ts'
import { clientOf, resultOf } from '../test/cluster/client-nodes.ts'
import type { Bench } from './harness.ts'
import { randomFrom } from './seeded-random.ts'

// Small files of one client into the index of three nodes, as running processes on loopback: many in a call, and one by one.
// `--torrents N` says how many; `--full` is the client of 4,900 that goes on.

const COUNT = { usual: 2_000, full: 4_900 }
const ONE_BY_ONE = 200
/** Calls under way, as the command has them. */
const CALLS = 2
const FILE_BYTES = 4_000
const TARGETS = { perSecond: 500, turnMs: 50 }
const WORDS = [
  'orbit',
  'winter',
  'alpine',
  'survey',
  'record',
  'quiet',
  'northern',
  'atlas',
  'lecture',
  'folk',
  'harbour',
  'night',
]

const bench: Bench = async ({ full, torrents = full ? COUNT.full : COUNT.usual, report, note }) => {
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-publish-'))
  const network = await HonestNetwork.start({ bootstraps: 1, indexNodes: 3, clients: 1 })
  try {
    const node = network.client(0)
    const client = await clientOf(node)
    note(`${torrents + 2 * ONE_BY_ONE} files are written`)
    const files = await writeFiles(join(directory, 'files'), torrents + 2 * ONE_BY_ONE)
    await network.probe(node)

    note('one by one')
    const oneByOne = async (paths: readonly string[]) => {
      const from = performance.now()
      for (const path of paths) await resultOf(client.publish({ path }))
      return paths.length / ((performance.now() - from) / 1_000)
    }
    const before = await oneByOne(files.slice(0, ONE_BY_ONE))
    await network.probe(node)

    note(`${torrents} in calls of ${BULK_ITEMS_MAX}`)
    const [from, cpu] = [performance.now(), node.cpuSeconds]
    const outcomes = await inBulk(client, files.slice(ONE_BY_ONE, ONE_BY_ONE + torrents))
    const seconds = (performance.now() - from) / 1_000
    const cpuShare = ((node.cpuSeconds - cpu) / seconds) * 100
    const reading = await network.probe(node)
    const failed = outcomes.find((one) => one.outcome === 'failed')
    if (failed !== undefined) throw new Error(`one was not published: ${failed.reason}`)
    const acknowledged = outcomes.filter((one) => one.outcome === 'published' && one.acknowledged).length
    report({
      ...{ name: 'publications in bulk', value: torrents / seconds, unit: '/s', target: { atLeast: TARGETS.perSecond } },
      against: { name: 'one by one', value: before },
    })
    report({ name: 'of them acknowledged by owners', value: acknowledged / seconds, unit: '/s' })
    report({ name: 'publications one by one, before', value: before, unit: '/s' })
    report({ name: 'processor of the client meanwhile', value: cpuShare, unit: '% of a core' })
    report({
      ...{ name: 'longest turn of the event loop', value: reading?.turnMsMax ?? Number.NaN },
      ...{ unit: 'ms of its processor time', target: { atMost: TARGETS.turnMs } },
    })
    report({ name: 'worst delay of the event loop', value: reading?.delayMsMax ?? Number.NaN, unit: 'ms' })
    report({ name: 'resident then', value: node.memoryBytes / 1e6, unit: 'MB' })

    note('the same again')
    const again = performance.now()
    const unchanged = (await inBulk(client, files.slice(ONE_BY_ONE, ONE_BY_ONE + torrents))).filter(
      ({ outcome }) => outcome === 'unchanged',
    )
    if (unchanged.length !== torrents) throw new Error(`${torrents - unchanged.length} were published again`)
    report({ name: 'passed over as unchanged', value: torrents / ((performance.now() - again) / 1_000), unit: '/s' })

    const after = await oneByOne(files.slice(-ONE_BY_ONE))
    report({ name: `publications one by one, with ${torrents} seeds`, value: after, unit: '/s' })
    const links = (await node.status())?.links ?? 0
    report({ name: 'links then', value: links, unit: '', target: { atLeast: 2 } })
  } finally {
    await network.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function inBulk(client: ClientService, paths: readonly string[]): Promise<BulkOutcome[]> {
  const outcomes: BulkOutcome[] = []
  let next = 0
  const callAfterCall = async () => {
    while (next < paths.length) {
      const items = paths.slice(next, next + BULK_ITEMS_MAX).map((path) => ({ path }))
      next += items.length
      outcomes.push(...(await resultOf(client.publishMany({ items }))))
    }
  }
  await Promise.all(Array.from({ length: CALLS }, callAfterCall))
  return outcomes
}

async function writeFiles(folder: string, count: number): Promise<string[]> {
  await mkdir(folder)
  const random = randomFrom(7)
  const word = () => WORDS[Math.floor(random() * WORDS.length)] ?? ''
  const paths: string[] = []
  for (let at = 0; at < count; at++) {
    const path = join(folder, `${word()} ${word()} ${word()} ${at}.txt`)
    await writeFile(path, `file ${at}\n`.padEnd(FILE_BYTES, `${at} `))
    paths.push(path)
  }
  return paths
}

export default bench
