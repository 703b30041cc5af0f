import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { search, titleTokens } from '../src/projections/keyword-index/index.ts'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { type Bench, type BenchContext, type Finding, median, percentile, type Target, timed } from './harness.ts'
import type { Built } from './search-build.ts'
import { makeQueries, makeTitles, type Queries, type Title } from './search-corpus.ts'
import { runnerOver, searchLog } from './search-log.ts'
import { openSqlite, type SqliteIndex } from './search-sqlite.ts'
import { TEST_OWNER_OF_STORE } from './search-store.ts'

// The keyword index on disk, by the runner that a node has, beside SQLite FTS5 as deployed and tuned, over the same titles. The
// log under it is made up (search-log.ts): reading and verifying one is measured by `bench -- log`.

const SEED = 20
const LONGEST_STALL: Target = { atMost: 50 }
const MEMORY: Target = { atMost: 400 }
const DEPLOYED = 'FTS5 as deployed'

/** FTS5's form of a query that both understand: quoted words, and a star behind a prefix. */
const forSqlite = (query: string): string =>
  query
    .split(' ')
    .map((word) => (word.endsWith('*') ? `"${word.slice(0, -1)}"*` : `"${word}"`))
    .join(' ')

/** Milliseconds of each query. */
function times(queries: readonly string[], ask: (query: string) => void): number[] {
  return queries.map((query) => {
    const start = performance.now()
    ask(query)
    return performance.now() - start
  })
}

async function bytesIn(directory: string): Promise<number> {
  const sizes = await Promise.all((await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Of the time of FTS5 as deployed. */
const RATIOS: { readonly [K in keyof Queries]: Target } = {
  common: { atMost: 1 / 500 },
  prefix: { atMost: 1 / 50 },
  threeWords: { atMost: 1 / 5 },
  rare: { atMost: 1.2 },
  mixed: { atMost: 1 / 3 },
}

type Measured = { -readonly [K in keyof Queries]?: number[] }

async function measure(context: BenchContext, titles: readonly Title[]): Promise<void> {
  const { medians, note, rounds } = context
  const count = titles.length
  const report = (finding: Finding): void => context.report({ ...finding, name: `${count / 1000}k: ${finding.name}` })
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-search-'))
  const path = (name: string): string => join(directory, name)
  const openStore = (name: string) => openLevelProjectionStore({ directory: path(name), owner: TEST_OWNER_OF_STORE })
  try {
    note(`${count.toLocaleString('en')} invented titles, seed ${SEED}`)
    const builts: Built[] = []
    let builds = 0
    const rate = (ms: number): number => (count / ms) * 1000
    const rebuild = await medians({
      ours: async () => {
        const built = await childOf<Built>('search-build.ts', path(`index-${builds++}`), String(count), String(SEED))
        builts.push(built)
        return rate(built.ms)
      },
      tokenizer: async () => rate(await timed(() => titles.forEach(({ title }) => void titleTokens(title)))),
      sqlite: async () => {
        const sqlite = openSqlite(path(`deployed-${builds}.db`))
        const ms = await timed(() => sqlite.fill(titles))
        sqlite.close()
        return rate(ms)
      },
    })
    report({
      ...{ name: 'rebuild', value: rebuild.ours, unit: 'titles/s', ratioTarget: { atLeast: 1 } },
      against: { name: DEPLOYED, value: rebuild.sqlite },
    })
    report({ name: 'tokenizer alone', value: rebuild.tokenizer, unit: 'titles/s' })
    const most = (of: (built: Built) => number): number => Math.max(...builts.map(of))
    report({
      name: 'longest stall while it is built',
      value: most(({ stallMs }) => stallMs),
      unit: 'ms',
      target: LONGEST_STALL,
    })
    report({
      name: 'memory of its own while it is built',
      value: most(({ privateBytes }) => privateBytes) / 1e6,
      unit: 'MB',
      target: MEMORY,
    })

    const last = `index-${builds - 1}`
    const deployed = openSqlite(path(`last.db`))
    deployed.fill(titles)
    const tuned = openSqlite(path(`tuned.db`), 'tuned')
    tuned.fill(titles)
    const titleBytes = titles.reduce((sum, { title }) => sum + Buffer.byteLength(title), 0)
    const [ours, theirs] = [await bytesIn(path(last)), (await stat(path('last.db'))).size]
    report({
      ...{ name: 'bytes without titles', value: (ours - titleBytes) / count, unit: 'B a title', ratioTarget: { atMost: 0.8 } },
      against: { name: DEPLOYED, value: (theirs - titleBytes) / count },
    })

    const queries = makeQueries(titles, SEED)
    await writeFile(path('queries.json'), JSON.stringify(queries.mixed))
    await restarts(
      context,
      report,
      { directory: path(last), head: searchLog(titles).head, queries: path('queries.json') },
      path('last.db'),
      queries,
    )

    await using store = await openStore(last)
    const log = searchLog(titles)
    await using runner = runnerOver(log, store)
    await runner.open()
    const state = () => runner.state('keyword-index')
    let unlike = 0
    for (const query of queries.mixed)
      if (search(state(), query).hits.length > 0 !== deployed.query(forSqlite(query)) > 0) unlike += 1
    report({ name: 'mixed queries where only one of the two has a hit', value: unlike, unit: `of ${queries.mixed.length}` })
    const measured: { ours: Measured; deployed: Measured; tuned: Measured } = { ours: {}, deployed: {}, tuned: {} }
    for (let round = 0; round < rounds; round++) {
      for (const kind of Object.keys(queries) as (keyof Queries)[]) {
        const list = queries[kind]
        const add = (who: keyof typeof measured, ask: (query: string) => void): void => {
          measured[who][kind] = [...(measured[who][kind] ?? []), ...times(list, ask)]
        }
        add('ours', (query) => void search(state(), query))
        add('deployed', (query) => void deployed.query(forSqlite(query)))
        add('tuned', (query) => void tuned.query(forSqlite(query)))
      }
    }
    for (const kind of Object.keys(queries) as (keyof Queries)[]) {
      for (const [what, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const value = percentile(measured.ours[kind] ?? [], share)
        report({
          ...{
            name: `${kind}, ${what}`,
            value,
            unit: 'ms',
            against: { name: DEPLOYED, value: percentile(measured.deployed[kind] ?? [], share) },
          },
          ...(what === 'p50' ? { ratioTarget: RATIOS[kind] } : {}),
        })
        report({
          name: `${kind}, ${what}`,
          value,
          unit: 'ms',
          against: { name: 'FTS5 tuned', value: percentile(measured.tuned[kind] ?? [], share) },
        })
      }
    }
    report({
      name: 'longest query',
      value: Math.max(...Object.values(measured.ours).flatMap((list) => list ?? [])),
      unit: 'ms',
      target: LONGEST_STALL,
    })

    const before: number[] = []
    const after: number[] = []
    for (const word of queries.common) {
      for (let at = 0; at < 20; at++) {
        before.push(...times([word], (query) => void search(state(), query)))
        log.publish(`${word} anew ${at}`)
        after.push(...times([word], (query) => void search(state(), query)))
      }
    }
    report({
      ...{ name: 'very common word right after a write on it', value: median(after), unit: 'ms', ratioTarget: { atMost: 2 } },
      against: { name: 'before it', value: median(before) },
    })
    tuned.close()
    deployed.close()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What a process of its own prints. */
async function childOf<T>(script: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, script), ...args])
  return JSON.parse(stdout) as T
}

type Restarted = {
  readonly firstMs: number
  readonly times: readonly number[]
  readonly residentBytes: number
  readonly privateBytes: number
  readonly digest: string
}

async function restarts(
  { medians }: BenchContext,
  report: (finding: Finding) => void,
  index: { directory: string; head: number; queries: string },
  sqlitePath: string,
  queries: Queries,
): Promise<void> {
  const restarted: Restarted[] = []
  const first = await medians({
    ours: async () => {
      const result = await childOf<Restarted>('search-restart.ts', index.directory, String(index.head), index.queries)
      restarted.push(result)
      return result.firstMs
    },
    sqlite: () =>
      timed(() => {
        const again: SqliteIndex = openSqlite(sqlitePath)
        again.query(forSqlite(queries.mixed[0] ?? ''))
        again.close()
      }),
  })
  report({
    name: 'restart to first answer',
    value: first.ours,
    unit: 'ms',
    against: { name: DEPLOYED, value: first.sqlite },
    target: { atMost: 2000 },
  })
  report({
    name: 'mixed, cold, p50',
    value: percentile(
      restarted.flatMap((one) => [...one.times]),
      0.5,
    ),
    unit: 'ms',
  })
  report({
    name: 'mixed, cold, p99',
    value: percentile(
      restarted.flatMap((one) => [...one.times]),
      0.99,
    ),
    unit: 'ms',
  })
  report({
    name: 'resident after the mixed queries',
    value: Math.max(...restarted.map((one) => one.residentBytes)) / 1e6,
    unit: 'MB',
  })
  report({
    name: 'memory of its own after the mixed queries',
    value: Math.max(...restarted.map((one) => one.privateBytes)) / 1e6,
    unit: 'MB',
    target: MEMORY,
  })
  report({
    name: 'digests after restarts',
    value: new Set(restarted.map(({ digest }) => digest)).size,
    unit: 'distinct',
    target: { atMost: 1 },
  })
}

const bench: Bench = async (context) => {
  for (const count of context.full ? [100_000, 1_000_000] : [100_000]) await measure(context, makeTitles(count, SEED))
}

export default bench
