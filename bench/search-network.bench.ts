import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { withProgress } from '../src/cli/services/output.ts'
import { stopNode } from '../src/cli/services/stop-node.ts'
import type { NodeId } from '../src/events/index.ts'
import type { IndexService } from '../src/roles/index.ts'
import { HonestNetwork } from '../test/attacks/network.ts'
import type { Reading } from '../test/attacks/probe.ts'
import { remoteOf } from '../test/cluster/client-nodes.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import { type Bench, type BenchContext, percentile } from './harness.ts'
import { fill, publish } from './published-logs.ts'
import { makeTitles } from './search-corpus.ts'
import { type Phase, SearchLoad } from './search-load.ts'

// Searches in a network of real processes on loopback (a bootstrap, five index nodes, four clients) while index nodes are killed,
// join, leave and rebuild. The titles are in the logs of the index nodes before these start (see published-logs.ts): what is measured
// is searching, and what the index nodes do to one another meanwhile. `--torrents N` says how many titles, `--seconds N` how long it is quiet.

const TITLES = { usual: 5_000, full: 100_000 }
const SEED = 7
const INDEX_NODES = 5
const CLIENTS = 4
/** How long there is a load with nothing else going on. */
const QUIET_S = { usual: 10, full: 30 }
/** How long the killed ones are away, ms: longer than others take to notice. */
const AWAY_MS = 15_000
const LEVEL_WITHIN_S = 600
const STOP_MS_MAX = 30_000
/** Between two phases the probes collect garbage: what is slow then is ours. */
const BETWEEN = 'between the phases'
const NOTICES_MAX = 100
const NOTICES_WITHIN_MS = 1_000
const TARGET = { p99Ms: 25 }

const bench: Bench = async (context) => {
  const { full, torrents = full ? TITLES.full : TITLES.usual } = context
  // One index node more: it leaves before anything begins, and joins later with another key.
  const network = await HonestNetwork.start({ bootstraps: 1, indexNodes: INDEX_NODES + 1, clients: CLIENTS })
  try {
    await run(context, network, torrents)
  } finally {
    await network.end()
  }
}

export default bench

async function run(context: BenchContext, network: HonestNetwork, count: number): Promise<void> {
  const { report, note, full, seconds = full ? QUIET_S.full : QUIET_S.usual } = context
  const all = network.indexNodes
  const five = all.slice(0, INDEX_NODES)
  const [first, second, third] = five as [ClusterNode, ClusterNode, ClusterNode]
  const sixth = all[INDEX_NODES] as ClusterNode
  const name = (what: string) => `${count} titles: ${what}`

  await stop(sixth)
  rmSync(sixth.directory, { recursive: true, force: true })
  for (const node of five) await stop(node)
  note(`${count} titles are written into ${five.length} logs`)
  const titles = makeTitles(count, SEED)
  const published = publish(titles, network.owner)
  const ids = five.map(({ id }) => id as NodeId)
  for (const node of five) note(`node ${node.index}: ${await fill(node.directory, node.id as NodeId, ids, published)} events`)
  const indexedMs = await levelAfter(network, five, async () => {
    for (const node of five) node.start()
  })
  report({ name: name('five index nodes read their logs and are level after'), value: indexedMs / 1_000, unit: 's' })

  const clients = network.clients
  const load = new SearchLoad(clients, titles, SEED)
  const phase = async (what: string, work: () => Promise<void>) => {
    note(what)
    await Promise.all([...all, ...clients].filter(({ runs }) => runs).map((node) => network.probe(node)))
    load.begin(what)
    await work()
    load.begin(BETWEEN)
    await tellNodes(what)
  }
  const tellNodes = async (what: string) => {
    const running = all.filter(({ runs }) => runs)
    const resident = running.map(({ memoryBytes }) => memoryBytes / 1e6)
    const readings = (await Promise.all(running.map((node) => network.probe(node)))).filter(
      (one): one is Reading => one !== undefined,
    )
    report({ name: name(`${what}: most resident`), value: Math.max(...resident), unit: 'MB' })
    report({
      name: name(`${what}: most resident after a collection`),
      value: Math.max(...readings.map(({ residentBytes }) => residentBytes / 1e6)),
      unit: 'MB',
    })
    report({
      name: name(`${what}: longest turn of an index node`),
      value: Math.max(...readings.map(({ turnMsMax }) => turnMsMax)),
      unit: 'ms of its processor time',
    })
    report({
      name: name(`${what}: worst delay of an index node`),
      value: Math.max(...readings.map(({ delayMsMax }) => delayMsMax)),
      unit: 'ms',
    })
  }
  const timed = (what: string, ms: number) => report({ name: name(what), value: ms / 1_000, unit: 's' })

  load.begin('warming up')
  load.start()
  await wait(full ? 5_000 : 2_000)
  await phase('quiet', () => wait(seconds * 1_000))
  await phase('two are killed', async () => {
    await first.kill()
    await wait(2_000)
    await second.kill()
    await wait(AWAY_MS)
  })
  await phase('two are back', async () => {
    const both = [first, second]
    timed(
      'two that were killed answer, and all are level after',
      await levelAfter(network, five, async () => {
        for (const node of both) node.start()
        timed('the slower of two that were killed answers after', await answersAfter(both))
      }),
    )
  })
  await phase('a sixth joins', async () => {
    timed('a sixth is level after', await levelAfter(network, all, async () => sixth.start()))
  })
  await phase('one leaves', async () => {
    const from = performance.now()
    await stop(third)
    timed('one has left after', performance.now() - from)
    const left = all.filter((node) => node !== third)
    timed('the others are level after', await levelAfter(network, left, async () => {}))
  })
  await phase('all rebuild in turn', async () => {
    for (const node of all.filter(({ runs }) => runs)) {
      const { node: remote } = await remoteOf(node)
      const from = performance.now()
      const { projections } = await withProgress(remote.rebuild({ projections: ['keyword-index'] }), undefined)
      timed(`node ${node.index} is rebuilt after`, performance.now() - from)
      for (const { digestBefore, digestAfter } of projections)
        if (digestBefore !== digestAfter) note(`node ${node.index}: another digest after the rebuild`)
    }
  })
  await phase('quiet again', () => wait(seconds * 1_000))
  await load.end()

  for (const [what, one] of load.phases) reportPhase(context, name(what), one, what.startsWith('quiet'))
  await tellNotices(context, [...all, ...clients])
  const { ended } = network
  if (ended.length > 1) note(`ended by themselves: ${ended.join('\n')}`)
}

function reportPhase({ report, note }: BenchContext, name: string, phase: Phase, isTimed: boolean): void {
  const { ms, insideMs, errors, empty, short, incomplete, charged, contradicted, examples } = phase
  if (ms.length === 0) return
  const none = { target: { atMost: 0 } }
  report({ name: `${name}: searches`, value: ms.length, unit: '' })
  report({ name: `${name}: p50`, value: percentile(ms, 0.5), unit: 'ms' })
  report({
    name: `${name}: p99`,
    value: percentile(ms, 0.99),
    unit: 'ms',
    ...(isTimed ? { target: { atMost: TARGET.p99Ms } } : {}),
  })
  report({ name: `${name}: longest`, value: Math.max(...ms), unit: 'ms' })
  if (insideMs.length > 0)
    report({ name: `${name}: p99 without the control socket`, value: percentile(insideMs, 0.99), unit: 'ms' })
  report({ name: `${name}: errors`, value: errors, unit: '', ...none })
  report({ name: `${name}: empty where there is a hit`, value: empty, unit: '', ...none })
  report({ name: `${name}: fewer hits than there are`, value: short, unit: '', ...none })
  report({ name: `${name}: said to be incomplete`, value: incomplete, unit: '' })
  report({ name: `${name}: empty answers of single owners that others contradict`, value: contradicted, unit: '', ...none })
  report({ name: `${name}: charges of honest owners`, value: charged, unit: '', ...none })
  for (const example of examples) note(`${name}: ${example}`)
}

async function tellNotices({ note }: BenchContext, nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes.filter(({ runs }) => runs)) {
    const { node: remote } = await remoteOf(node)
    note(`node ${node.index} is ${(await remote.status()).id.slice(0, 8)}`)
    const said = remote.notices({ last: NOTICES_MAX })[Symbol.asyncIterator]()
    // The list goes on with what it will say.
    for (const late = wait(NOTICES_WITHIN_MS, undefined); ; ) {
      const next = await Promise.race([said.next(), late])
      if (next === undefined || next.done === true) break
      const { level, code, text } = next.value
      note(`node ${node.index} (${node.role}) said: ${level} ${code}: ${text}`)
    }
    // Not awaited: it ends with the next notice.
    void said.return?.()
  }
}

async function stop(node: ClusterNode): Promise<void> {
  const { node: remote } = await remoteOf(node)
  const { pid } = await remote.status()
  await stopNode(remote, pid, STOP_MS_MAX)
  await node.kill()
}

/** Ms until each of these answers, from before `begin`. */
async function answersAfter(nodes: readonly ClusterNode[]): Promise<number> {
  const from = performance.now()
  for (const node of nodes) while ((await node.status()) === undefined) await wait(50)
  return performance.now() - from
}

/** Ms until each of these knows all the others and is level in all that it owns, from before `begin`. */
async function levelAfter(network: HonestNetwork, nodes: readonly ClusterNode[], begin: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await begin()
  await network.cluster.within(LEVEL_WITHIN_S, 'all index nodes level', async () => {
    const statuses = await Promise.all(
      nodes.map((node) => node.askAll(({ index }) => (index as IndexService).indexStatus({ partitions: false }))),
    )
    return nodes.flatMap((node, at) => {
      const { owned, indexNodesAlive } = statuses[at] ?? {}
      if (owned === undefined) return [`${node.index} does not answer`]
      const all = owned.rank1 + owned.rank2 + owned.rank3
      if (indexNodesAlive !== nodes.length) return [`${node.index} knows ${indexNodesAlive}`]
      return owned.level === all ? [] : [`${node.index} is level in ${owned.level} of ${all}`]
    })
  })
  return performance.now() - from
}
