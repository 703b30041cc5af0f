// npm run test:sim -- [--quick] [--scenario NAME] [--nodes N] [--seed N] [--seeds N]
// With a scenario: that one, for one seed or several. Without: the mix below, with --quick less the networks of 1,000; each
// run in a process of its own, as many at once as there are processors. Exit code 1 if a run failed; each failure names the
// one command that runs it again.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Play, play } from './play.ts'
import { SCENARIOS } from './scenarios/index.ts'

/**
 * 50 seeds of every story at 15 nodes would repeat themselves: each seed plays one story at 15 to 100 nodes, and the
 * stories that are about size are played at 1,000.
 */
const MIX_SEEDS = 50
const MIX_SIZES = [15, 30, 50, 100] as const
const LARGE: readonly Play[] = [
  { scenario: 'crash', nodes: 1_000, seed: 1 },
  { scenario: 'crash', nodes: 1_000, seed: 2 },
  { scenario: 'broadcast', nodes: 1_000, seed: 1 },
  { scenario: 'broadcast', nodes: 1_000, seed: 2 },
  { scenario: 'quiet', nodes: 1_000, seed: 1 },
  { scenario: 'hostile', nodes: 1_000, seed: 1 },
]

function mix(isQuick: boolean): Play[] {
  const names = Object.keys(SCENARIOS)
  const small = Array.from({ length: MIX_SEEDS }, (_, index): Play => {
    const scenario = names[index % names.length] as string
    const size = MIX_SIZES[Math.floor(index / names.length) % MIX_SIZES.length] as number
    return { scenario, nodes: Math.min(size, SCENARIOS[scenario]?.nodesMax ?? size), seed: index + 1 }
  })
  // The long ones first, so that none is left alone at the end.
  return isQuick ? small : [...LARGE, ...small]
}

const text = (figures: Readonly<Record<string, number>>): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ')

async function playHere(run: Play): Promise<boolean> {
  const started = performance.now()
  const name = `${run.scenario}, ${run.nodes} nodes, seed ${run.seed}`
  try {
    const figures = await play(run)
    console.log(`ok      ${name} (${((performance.now() - started) / 1_000).toFixed(1)} s): ${text(figures)}`)
    return true
  } catch (error) {
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

function playApart({ scenario, nodes, seed }: Play): Promise<boolean> {
  const flags = ['--scenario', scenario, '--nodes', String(nodes), '--seed', String(seed)]
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, ...flags], { stdio: 'inherit' })
  return new Promise((resolve) => child.once('close', (code) => resolve(code === 0)))
}

async function playAll(runs: readonly Play[]): Promise<number> {
  const waiting = [...runs]
  let failed = 0
  const worker = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) if (!(await playApart(run))) failed++
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return failed
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    nodes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
  },
})
const { quick, scenario: named } = values
const known = named === undefined ? undefined : SCENARIOS[named]
const [seed, seeds] = [Number(values.seed), Number(values.seeds)]
const nodes = values.nodes === undefined ? undefined : Number(values.nodes)
const isSound = [seed, seeds, nodes ?? 2].every(Number.isInteger) && seeds >= 1 && (nodes ?? 2) >= 2
if (!isSound || (named !== undefined && known === undefined)) {
  console.error('usage: npm run test:sim -- [--quick] [--scenario NAME] [--nodes N] [--seed N] [--seeds N]\nscenarios:')
  for (const [name, { proves }] of Object.entries(SCENARIOS)) console.error(`  ${name.padEnd(12)} ${proves}`)
  process.exit(2)
}
if (named !== undefined && seeds === 1) {
  if (!(await playHere({ scenario: named, nodes: nodes ?? known?.nodes ?? 15, seed }))) process.exitCode = 1
} else {
  const started = performance.now()
  const sizeOf = (name: string) => nodes ?? SCENARIOS[name]?.nodes ?? 15
  const runs =
    named === undefined
      ? mix(quick)
      : Array.from({ length: seeds }, (_, index): Play => ({ scenario: named, nodes: sizeOf(named), seed: seed + index }))
  const failed = await playAll(runs)
  const seconds = Math.round((performance.now() - started) / 1_000)
  // As mocha says it, for whoever adds up.
  console.log(`\n  ${runs.length - failed} passing (${seconds}s)`)
  if (failed > 0) {
    console.log(`  ${failed} failing`)
    process.exitCode = 1
  }
}
