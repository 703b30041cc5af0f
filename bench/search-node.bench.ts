import { setTimeout as wait } from 'node:timers/promises'
import { withProgress } from '../src/cli/services/output.ts'
import type { IndexService } from '../src/roles/index.ts'
import { HonestNetwork } from '../test/attacks/network.ts'
import { remoteOf } from '../test/cluster/client-nodes.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import { type Bench, percentile } from './harness.ts'
import { fillWith, publishing } from './published-logs.ts'
import { eachTitle, makeQueries, type Title } from './search-corpus.ts'

// One index node as a running process, with so many titles in its log: how long it reads them, what it takes of memory, how fast it
// answers, and what is left of it when it is killed while it indexes all of them anew. `--torrents N` says how many titles.

const TITLES = { usual: 20_000, full: 1_000_000 }
const SEED = 20
/** Of which queries are made: all would take a gigabyte. */
const ASKED_OF = 100_000
const INDEXED_WITHIN_MS = 20 * 60_000
const LOOK_MS = 250
/** When it is killed, of the time that the rebuild before took. */
const KILLED_AT = [0.1, 0.35, 0.6, 0.9]
const TARGETS = { memoryMb: 400, firstAnswerMs: 2_000, stallMs: 50 }

const bench: Bench = async ({ full, torrents: count = full ? TITLES.full : TITLES.usual, report, note }) => {
  const network = await HonestNetwork.start({ bootstraps: 1, indexNodes: 1, clients: 0 })
  try {
    const node = network.indexNodes[0] as ClusterNode
    const name = (what: string) => `${count} titles: ${what}`
    await node.kill('SIGTERM')
    note(`${count} titles are written into its log`)
    const published = publishing(eachTitle(count, SEED), count, network.owner)
    const events = (function* () {
      for (const title of published.titles) yield* title.events
    })()
    note(`${await fillWith(node.directory, published.admissions, events)} events`)

    const memory = new Memory(node)
    const from = performance.now()
    node.start()
    await untilIndexed(node, count, (done) => note(`${done} of ${count} titles are indexed`))
    const indexMs = performance.now() - from
    report({ name: name('started and indexed after'), value: indexMs / 1_000, unit: 's' })
    report({ name: name('memory of its own while it indexes, at most'), value: memory.take() / 1e6, unit: 'MB' })
    const titles: Title[] = []
    for (const title of eachTitle(count, SEED)) if (titles.push(title) >= ASKED_OF) break
    const queries = makeQueries(titles, SEED).mixed
    const ms: number[] = []
    for (const text of queries) {
      const asked = performance.now()
      await (await indexOf(node)).searchHere({ text })
      ms.push(performance.now() - asked)
    }
    report({ name: name('mixed queries over the control socket, p50'), value: percentile(ms, 0.5), unit: 'ms' })
    report({ name: name('mixed queries over the control socket, p99'), value: percentile(ms, 0.99), unit: 'ms' })
    report({
      name: name('memory of its own while it answers, at most'),
      value: memory.take() / 1e6,
      unit: 'MB',
      target: { atMost: TARGETS.memoryMb },
    })
    report({ name: name('resident, with the files of its index that are mapped'), value: node.memoryBytes / 1e6, unit: 'MB' })

    const digest = await digestOf(node)
    await network.probe(node)
    const begun = performance.now()
    await withProgress((await remoteOf(node)).node.rebuild({ projections: ['keyword-index'] }), undefined)
    const rebuildMs = performance.now() - begun
    report({ name: name('rebuilt while it runs after'), value: rebuildMs / 1_000, unit: 's' })
    report({ name: name('memory of its own while it rebuilds, at most'), value: memory.take() / 1e6, unit: 'MB' })
    const turn = (await network.probe(node))?.turnMsMax ?? 0
    report({ name: name('longest turn while it rebuilds'), value: turn, unit: 'ms', target: { atMost: TARGETS.stallMs } })
    const firsts: number[] = []
    let digests = 0
    for (const share of KILLED_AT) {
      const { node: remote } = await remoteOf(node)
      const rebuilding = remote.rebuild({ projections: ['keyword-index'] })
      const running = (async () => {
        for (;;) if ((await rebuilding.next()).done === true) return
      })().catch(() => {})
      await wait(share * rebuildMs)
      await node.kill('SIGKILL')
      await running
      const again = performance.now()
      node.start()
      await untilAnswers(node, queries[0] ?? '')
      firsts.push(performance.now() - again)
      if ((await digestOf(node)) !== digest) digests += 1
    }
    report({
      name: name('killed while it rebuilds: first answer after its start, at most'),
      value: Math.max(...firsts),
      unit: 'ms',
      target: { atMost: TARGETS.firstAnswerMs },
    })
    report({
      name: name('killed while it rebuilds: another digest than before'),
      value: digests,
      unit: `of ${firsts.length}`,
      target: { atMost: 0 },
    })
    memory.end()
  } finally {
    await network.end()
  }
}

export default bench

const indexOf = async (node: ClusterNode): Promise<IndexService> => (await remoteOf(node)).index as IndexService

async function digestOf(node: ClusterNode): Promise<string | undefined> {
  const { node: remote } = await remoteOf(node)
  return (await remote.digests({})).digests['keyword-index']
}

async function untilIndexed(node: ClusterNode, count: number, tell: (done: number) => void): Promise<void> {
  const end = performance.now() + INDEXED_WITHIN_MS
  for (let told = performance.now(); performance.now() < end; await wait(LOOK_MS)) {
    const documents = await (await reachable(node))?.indexStatus({ partitions: false }).then(
      (status) => status.documents,
      () => undefined,
    )
    if (documents === count) return
    if (performance.now() - told < 10_000 || documents === undefined) continue
    told = performance.now()
    tell(documents)
  }
  throw new Error(`not indexed within ${INDEXED_WITHIN_MS / 60_000} minutes`)
}

const reachable = (node: ClusterNode): Promise<IndexService | undefined> => indexOf(node).catch(() => undefined)

async function untilAnswers(node: ClusterNode, text: string): Promise<void> {
  for (;;) {
    const found = await (await reachable(node))?.searchHere({ text }).catch(() => undefined)
    if (found !== undefined) return
    await wait(10)
  }
}

/** The most of its own memory that a process takes: files that are mapped are the system's, which takes them back when it needs room. */
class Memory {
  #most = 0
  readonly #timer: NodeJS.Timeout

  constructor(node: ClusterNode) {
    this.#timer = setInterval(() => {
      this.#most = Math.max(this.#most, node.privateMemoryBytes)
    }, LOOK_MS)
  }

  /** Since the last call. */
  take(): number {
    const most = this.#most
    this.#most = 0
    return most
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
