import { forked } from '../test/sim/random.ts'
import { flood } from './gossip-flood.ts'
import { type Calm, calm, cold, falseDeaths, troubled } from './gossip-runs.ts'
import { type Bench, median } from './harness.ts'

// Gossip and membership in the simulator, on a virtual clock: the figures do not depend on the machine, only the time that
// the bench takes does. Beside them, in the same run, what p2pt's ancestor did: a flood to 2 random peers, once.

const HOUR_S = 3_600
const FLOODS = 200
const FANOUT = 2

/**
 * `quietSeconds`: how long nobody may be declared dead, for the first `quietSeeds` seeds. `faultSeeds`: for how many seeds
 * there is loss, churn and a partition. An hour of 1,000 nodes takes a processor 12 minutes, their faults take it half an
 * hour, for each seed: they are for `--full`. `--only N` runs the networks of N nodes alone.
 */
type Size = {
  readonly nodes: number
  /** Of all nodes, 0 to 1; the others are members. */
  readonly clientShare?: number
  readonly seeds: number
  readonly quietSeconds: number
  readonly quietSeeds: number
  readonly faultSeeds: number
}

const QUICK: readonly Size[] = [
  { nodes: 15, seeds: 5, quietSeconds: HOUR_S, quietSeeds: 5, faultSeeds: 5 },
  { nodes: 100, seeds: 5, quietSeconds: HOUR_S / 4, quietSeeds: 2, faultSeeds: 5 },
  { nodes: 300, seeds: 1, quietSeconds: HOUR_S / 20, quietSeeds: 1, faultSeeds: 1 },
  { nodes: 1_000, seeds: 5, quietSeconds: HOUR_S / 20, quietSeeds: 1, faultSeeds: 0 },
]
const FULL: readonly Size[] = [
  ...[15, 100, 1_000].map((nodes) => ({ nodes, seeds: 5, quietSeconds: HOUR_S, quietSeeds: 5, faultSeeds: 5 })),
  // Members are few: 1,000, and 9,000 clients. It takes a processor eight minutes, and 7 GB.
  { nodes: 10_000, clientShare: 0.9, seeds: 1, quietSeconds: 0, quietSeeds: 0, faultSeeds: 0 },
]

const bench: Bench = async ({ full, only, note, report }) => {
  const sizes = (full ? FULL : QUICK).filter(({ nodes }) => only === undefined || only === String(nodes))
  if (sizes.length === 0)
    throw new Error(`there is no network of ${only} nodes: ${(full ? FULL : QUICK).map(({ nodes }) => nodes).join(', ')}`)
  for (const { nodes, clientShare = 0, seeds, quietSeconds, quietSeeds, faultSeeds } of sizes) {
    const all = Array.from({ length: seeds }, (_, index) => index + 1)
    const before = { still: floods(nodes, 0), lossy: floods(nodes, 0.2) }
    const against = (value: number) => ({ against: { name: `flood to ${FANOUT}`, value } })
    const name = (what: string): string => `N = ${nodes}: ${what}`

    note(`N = ${nodes}: at rest, events and crashes, ${seeds} seeds`)
    const calms: Calm[] = []
    for (const seed of all) calms.push(await calm(nodes, seed, clientShare))
    const middle = (of: (one: Calm) => number): number => median(calms.map(of))
    const worst = (of: (one: Calm) => number): number => Math.max(...calms.map(of))
    const reached = 100 * Math.min(...calms.map(({ deliveredShare }) => deliveredShare))
    report({
      ...{ name: name('nodes reached, nothing lost'), value: reached, unit: '%', target: { atLeast: 100 } },
      ...against(100 * before.still.reachedShare),
    })
    report({
      ...{ name: name('copies an event'), value: worst(({ copies }) => copies), unit: 'copies', target: { atMost: 2 } },
      ...against(before.still.copies),
    })
    report({
      ...{
        name: name('to the last node'),
        value: worst(({ hops }) => hops),
        unit: 'hops',
        target: { atMost: nodes > 1_000 ? 16 : 12 },
      },
      ...against(before.still.hops),
    })
    const crashes = calms.flatMap(({ crashSeconds }) => crashSeconds)
    report({ name: name('crash seen by all, median'), value: median(crashes), unit: 's', target: { atMost: 15 } })
    report({ name: name('crash seen by all, slowest'), value: Math.max(...crashes), unit: 's' })
    const bytes = middle(({ bytesPerSecond }) => bytesPerSecond)
    report({ name: name('sent by a node at rest'), value: bytes, unit: 'B/s', target: { atMost: 1_500 } })

    if (quietSeeds === 0) continue
    note(`N = ${nodes}: ${quietSeconds} virtual seconds of 5 % loss, 10 % slow, ${quietSeeds} seeds`)
    let deaths = 0
    for (const seed of all.slice(0, quietSeeds)) deaths += await falseDeaths(nodes, seed, quietSeconds)
    report({
      ...{ name: name(`false deaths in ${quietSeconds / 60} virtual minutes`), value: deaths, unit: 'members' },
      ...{ target: { atMost: 0 } },
    })

    if (faultSeeds === 0) continue
    note(`N = ${nodes}: 20 % loss, churn and a partition, ${faultSeeds} seeds`)
    const shares: number[] = []
    for (const seed of all.slice(0, faultSeeds)) shares.push(await troubled(nodes, seed))
    report({
      ...{ name: name('delivered under loss, churn, partition'), value: 100 * Math.min(...shares), unit: '%' },
      ...{ target: { atLeast: 100 } },
      ...against(100 * before.lossy.reachedShare),
    })

    note(`N = ${nodes}: all started within 5 s`)
    report({ name: name('all know all after the last start'), value: await cold(nodes, 1), unit: 's' })
  }
}

/** The median flood of many. */
function floods(nodes: number, lossShare: number) {
  const random = forked(nodes, 77)
  const all = Array.from({ length: FLOODS }, () => flood(nodes, FANOUT, lossShare, random))
  return {
    reachedShare: median(all.map(({ reachedShare }) => reachedShare)),
    copies: median(all.map(({ copies }) => copies)),
    hops: median(all.map(({ hops }) => hops)),
  }
}

export default bench
