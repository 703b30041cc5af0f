import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../test/cli/program.ts'
import { CorrupterClients, type CorrupterRun, type Plan } from './corrupter-clients.ts'
import { type Bench, type BenchContext, median } from './harness.ts'

// Downloads from clients of which some serve damaged pieces: whether all of it comes, who is blamed, who is banned, and what
// it costs beside the same download from the honest ones alone, in the same rounds. Two rounds; ten with --full, or --rounds.

const SIZE_BYTES = 105_000_000
const ROUNDS = { quick: 2, full: 10 }
const ROUNDS_UNSAID = 3
/** Asked at 20 %, where a ban takes the longest. */
const WASTE_PERCENT = 20
const WASTE_MB_MAX = 10

type Scene = Plan & { readonly name: string }

const PERCENTS = [100, 50, 20, 5]
const SCENES: readonly Scene[] = [
  { name: 'nobody of 1', honest: 1, corrupters: 0, percent: 0 },
  ...PERCENTS.map((percent) => ({ name: `1 at ${percent} % beside 1`, honest: 1, corrupters: 1, percent })),
  { name: 'nobody of 3', honest: 3, corrupters: 0, percent: 0 },
  ...PERCENTS.map((percent) => ({ name: `3 at ${percent} % beside 3`, honest: 3, corrupters: 3, percent })),
]

const bench: Bench = async (context) => {
  build()
  const scenes = SCENES.filter(
    ({ name, corrupters }) => corrupters === 0 || context.only === undefined || name === context.only,
  )
  const said = context.rounds === ROUNDS_UNSAID ? ROUNDS.quick : context.rounds
  const rounds = context.full ? ROUNDS.full : said
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-corrupter-'))
  const file = join(directory, 'payload.bin')
  await writeFile(file, randomBytes(SIZE_BYTES))
  const clients = await CorrupterClients.start(directory, file, SIZE_BYTES, 6, rounds * scenes.length)
  const runs = new Map<string, CorrupterRun[]>(scenes.map(({ name }) => [name, []]))
  const problems = new Map<string, number>()
  try {
    for (let round = 0; round < rounds; round++) {
      context.note(`round ${round + 1} of ${rounds}`)
      for (const { name, ...plan } of scenes) {
        try {
          const run = await clients.download(plan)
          runs.get(name)?.push(run)
          const { ms, failedPieces, fromCorrupters, blamed } = run
          context.note(`${name}: ${ms} ms, ${failedPieces} failed, ${fromCorrupters} of corrupters, ${blamed} blamed`)
        } catch (error) {
          problems.set(name, (problems.get(name) ?? 0) + 1)
          context.note(`${name}: ${error instanceof Error ? error.message : error}`)
        }
      }
    }
    for (const what of clients.notStarted) context.note(what)
    for (const scene of scenes) tell(context, scene, runs, problems.get(scene.name) ?? 0)
  } finally {
    await clients.end()
    await rm(directory, { recursive: true, force: true })
  }
}

export default bench

function tell({ report }: BenchContext, scene: Scene, all: ReadonlyMap<string, readonly CorrupterRun[]>, incomplete: number) {
  const { name, honest, corrupters, percent } = scene
  const runs = all.get(name) ?? []
  report({ name: `${name}: not complete`, value: incomplete, unit: 'runs', target: { atMost: 0 } })
  if (runs.length === 0) return
  const baseline = all.get(`nobody of ${honest}`) ?? []
  const ms = (of: readonly CorrupterRun[]): number => median(of.map((run) => run.ms))
  const most = (what: (run: CorrupterRun) => number): number => Math.max(...runs.map(what))
  const sum = (what: (run: CorrupterRun) => number): number => runs.reduce((total, run) => total + what(run), 0)
  const against =
    corrupters === 0 || baseline.length === 0 ? {} : { against: { name: 'without corrupters', value: ms(baseline) } }
  report({ name: `${name}: time`, value: ms(runs), unit: 'ms', ...against })
  report({ name: `${name}: false blames`, value: sum((run) => run.falseBlames), unit: 'in all', target: { atMost: 0 } })
  if (corrupters === 0) return
  report({ name: `${name}: pieces of corrupters`, value: median(runs.map((run) => run.fromCorrupters)), unit: 'pieces' })
  report({ name: `${name}: pieces that failed`, value: median(runs.map((run) => run.failedPieces)), unit: 'pieces' })
  report({
    ...{ name: `${name}: waste beside them, most`, value: most((run) => run.wasteBytes) / 1e6, unit: 'MB' },
    ...(percent === WASTE_PERCENT && { target: { atMost: WASTE_MB_MAX } }),
  })
  report({ name: `${name}: corrupters blamed`, value: sum((run) => run.blamed), unit: `of ${runs.length * corrupters}` })
  const past = sum((run) => run.pastTheRule)
  report({ name: `${name}: past the rule`, value: past, unit: `of ${runs.length * corrupters}` })
  if (past > 0)
    report({
      name: `${name}: banned of those`,
      value: (100 * sum((run) => run.bannedOfThem)) / past,
      unit: '%',
      target: { atLeast: 100 },
    })
}
