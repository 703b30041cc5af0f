import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { ClusterNode } from '../cluster/cluster.ts'
import { Attacker, type Standing } from './attacker.ts'
import type { HonestNetwork } from './network.ts'
import { Watch } from './watch.ts'
import { type Tally, Work } from './work.ts'

/** Where an attack takes place: what it is given, and what it leaves. */
export type Stage = {
  readonly network: HonestNetwork
  readonly standing: Standing
  /** How many keys the attacker has. */
  readonly keys: number
  readonly signal: AbortSignal
  /** Keys of the stage's standing, ended with the stage; the first `announced` of them are found as honest nodes are. */
  attackers(options?: { readonly seeds?: readonly Uint8Array[]; readonly announced?: number }): Promise<Attacker[]>
  /** Something that this attack alone does to somebody, for the report; the last word counts. */
  fact(name: string, value: number): void
  /** Calls `turn` again and again until the signal, with the pause between. */
  again(pauseMs: number, turn: () => Promise<void> | void): Promise<void>
}

/** Goes on until the signal. */
export type Attack = (stage: Stage) => Promise<void>

/** Work without an attack, to know what the machine has to give. */
const CALM_MS = 3_000

export type Plan = { readonly standing: Standing; readonly keys: number; readonly seconds: number }

/** What an attack, or a time without one, did to the honest nodes; the worst of them where each has its own. */
export type Report = {
  /** Last words of nodes that ended. */
  readonly ended: readonly string[]
  /** Nodes that run, and answered nothing at the end. */
  readonly silent: readonly string[]
  readonly publications: Tally
  readonly searches: Tally
  readonly browses: Tally
  readonly foreignHits: number
  /** Of the polls, 0 to 1: every honest member was alive in every honest table. */
  readonly aliveShare: number
  readonly lastNotAlive: string
  readonly longestDeadMs: number
  /** Before the attack began, with the work that was going on: what this machine has at this hour. */
  readonly calm: { readonly delayMsP99: number; readonly aliveShare: number }
  readonly delayMsP99: number
  readonly delayMsMax: number
  /** Heap and buffers, after a collection. */
  readonly memoryBytesMore: number
  readonly logBytesMore: number
  /** With projections, which are made again from the log. */
  readonly diskBytesMore: number
  /** As long as it took. */
  readonly seconds: number
  /** Honest nodes whose `node status` names one of the attacker's keys. */
  readonly namedBy: number
  readonly facts: ReadonlyMap<string, number>
  /** The attack itself went wrong. */
  readonly fault: unknown
}

/** Has the network do its work for some seconds, with or without an attack on it. */
export async function perform(network: HonestNetwork, attack: Attack | undefined, plan: Plan): Promise<Report> {
  const { standing, keys, seconds } = plan
  const over = new AbortController()
  const started: Attacker[] = []
  const facts = new Map<string, number>()
  const stage: Stage = {
    ...{ network, standing, keys, signal: over.signal },
    async attackers({ seeds, announced = 0 } = {}) {
      const count = seeds?.length ?? keys
      const more = await Promise.all(
        Array.from({ length: count }, (_, at) => {
          const seed = seeds?.[at]
          return Attacker.start(network, { announced: at < announced, standing, ...(seed && { seed }) })
        }),
      )
      started.push(...more)
      return more
    },
    fact: (name, value) => facts.set(name, value),
    async again(pauseMs, turn) {
      while (!over.signal.aborted) {
        await turn()
        await wait(pauseMs, undefined, { signal: over.signal }).catch(() => {})
      }
    },
  }
  const work = new Work(network)
  const watch = new Watch(network)
  let fault: unknown
  try {
    await measured(network)
    const busy = Promise.all([work.run(over.signal), watch.run(over.signal)])
    await wait(CALM_MS)
    const before = await measured(network)
    const calm = { delayMsP99: most(before, ({ delayMsP99 }) => delayMsP99), aliveShare: watch.share }
    watch.restart()
    const from = performance.now()
    const attacking = attack?.(stage).catch((error: unknown) => {
      fault = error
    })
    await wait(seconds * 1_000)
    over.abort()
    await Promise.all([attacking, busy])
    const took = (performance.now() - from) / 1_000
    const after = await measured(network)
    const statuses = await Promise.all(network.nodes.map((node) => node.status()))
    const texts = statuses.map((status) => JSON.stringify(status ?? ''))
    return {
      ended: network.ended,
      silent: network.nodes.flatMap(({ runs, role, index }, at) =>
        runs && after[at] === undefined ? [`${role} ${index}`] : [],
      ),
      calm,
      ...{ publications: work.publications, searches: work.searches, browses: work.browses, foreignHits: work.foreignHits },
      ...{ aliveShare: watch.share, lastNotAlive: watch.last, longestDeadMs: watch.longestDeadMs },
      delayMsP99: most(after, ({ delayMsP99 }) => delayMsP99),
      delayMsMax: most(after, ({ delayMsMax }) => delayMsMax),
      memoryBytesMore: grown(before, after, ({ keptBytes }) => keptBytes),
      logBytesMore: grown(before, after, ({ logBytes }) => logBytes),
      diskBytesMore: grown(before, after, ({ diskBytes }) => diskBytes),
      seconds: took,
      namedBy: texts.filter((text) => started.some(({ id }) => text.includes(id.slice(0, 8)))).length,
      facts,
      fault,
    }
  } finally {
    over.abort()
    work.end()
    await Promise.all(started.map((attacker) => attacker[Symbol.asyncDispose]()))
  }
}

/**
 * What must hold of every attack. `aliveShare` and `delayMsP99`: a busy machine has honest nodes suspect one another and
 * come late, so what was before the attack counts as well. `memoryBytes` and `logBytes`: of these 10 to 20 seconds.
 */
export type Bounds = {
  readonly aliveShare: number
  readonly deadMs: number
  readonly delayMsP99: number
  readonly memoryBytes: number
  readonly logBytes: number
}

const BOUNDS: Bounds = { aliveShare: 0.9, deadMs: 1_000, delayMsP99: 400, memoryBytes: 25e6, logBytes: 500e3 }

/** What the log may grow by while clients use up the stock of their invitation in the index, twice while segments are merged. */
export const INDEX_STOCK_BYTES = 8e6
/** The same of gossip: 100,000 events of 70 bytes and 170 more. */
export const GOSSIP_STOCK_BYTES = 30e6

/** So many times later than before the attack. */
const LATER_MAX = 3

/** @throws AssertionError with all that did not hold */
export function assertHolds(report: Report, others: Partial<Bounds> = {}): void {
  const bounds = { ...BOUNDS, ...others }
  const { ended, silent, calm, publications, searches, browses, fault } = report
  const faults: string[] = []
  const expect = (holds: boolean, sentence: string): void => {
    if (!holds) faults.push(sentence)
  }
  expect(fault === undefined, `the attack itself failed: ${fault instanceof Error ? fault.stack : String(fault)}`)
  expect(ended.length === 0, `${ended.length} honest nodes ended: ${ended.join('\n').slice(-1_500)}`)
  expect(silent.length === 0, `these do not answer any more: ${silent.join(', ')}`)
  for (const [what, { asked, right, wrong }] of Object.entries({ publications, searches, browses })) {
    expect(asked > 0 && right === asked, `${right} of ${asked} ${what} came out right: ${wrong.slice(0, 3).join('; ')}`)
  }
  const share = Math.round(report.aliveShare * 100)
  expect(
    report.aliveShare >= bounds.aliveShare * calm.aliveShare,
    `all were alive in all tables in ${share} % of looks: ${report.lastNotAlive}`,
  )
  expect(report.longestDeadMs <= bounds.deadMs, `an honest member was held dead for ${Math.round(report.longestDeadMs)} ms`)
  const delayMsMax = Math.max(bounds.delayMsP99, LATER_MAX * calm.delayMsP99)
  expect(report.delayMsP99 <= delayMsMax, `event loops were late by ${Math.round(report.delayMsP99)} ms (p99)`)
  expect(report.memoryBytesMore <= bounds.memoryBytes, `memory grew by ${megabytes(report.memoryBytesMore)}`)
  expect(report.logBytesMore <= bounds.logBytes, `the log grew by ${megabytes(report.logBytesMore)}`)
  assert.deepEqual(faults, [])
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

type Measured = { keptBytes: number; delayMsP99: number; delayMsMax: number; logBytes: number; diskBytes: number }

async function measured(network: HonestNetwork): Promise<(Measured | undefined)[]> {
  return Promise.all(
    network.nodes.map(async (node: ClusterNode) => {
      const reading = await network.probe(node)
      return reading && { ...reading, logBytes: network.diskBytes(node, 'log'), diskBytes: network.diskBytes(node) }
    }),
  )
}

const most = (nodes: readonly (Measured | undefined)[], of: (node: Measured) => number): number =>
  Math.max(0, ...nodes.flatMap((node) => (node === undefined ? [] : [of(node)])))

const grown = (
  before: readonly (Measured | undefined)[],
  after: readonly (Measured | undefined)[],
  of: (node: Measured) => number,
): number =>
  Math.max(
    ...after.map((node, at) => {
      const earlier = before[at]
      return node === undefined || earlier === undefined ? 0 : of(node) - of(earlier)
    }),
  )
