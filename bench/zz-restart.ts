import { readFileSync, writeFileSync, existsSync } from 'node:fs'
import { search } from '../src/projections/index.ts'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { runnerOver, searchLog } from './search-log.ts'
import { makeQueries, makeTitles } from './search-corpus.ts'
import { TEST_OWNER_OF_STORE } from './search-store.ts'
import { monitorEventLoopDelay } from 'node:perf_hooks'
const [dir, n] = process.argv.slice(2)
const qp = `/tmp/queries-${n}.json`
if (!existsSync(qp)) { const titles = makeTitles(Number(n), 20); const log = searchLog(titles); writeFileSync(qp, JSON.stringify({ q: makeQueries(titles, 20), head: log.head })); console.log('made'); process.exit(0) }
const { q, head } = JSON.parse(readFileSync(qp, 'utf8'))
const mem = () => readFileSync('/proc/self/status','utf8').match(/(Rss(Anon|File)|VmRSS):\s+\d+/g)?.map((s)=>s.replace(/\s+/,' ')).join(' ')
console.log('start', mem())
const t0 = performance.now()
const store = await openLevelProjectionStore({ directory: dir as string, owner: TEST_OWNER_OF_STORE })
const log = Object.defineProperty(searchLog([]), 'head', { value: head })
const runner = runnerOver(log, store)
const delay = monitorEventLoopDelay({ resolution: 1 }); delay.enable()
await runner.open()
const state = runner.state('keyword-index')
console.log('open', performance.now() - t0, mem(), 'stall', delay.max/1e6)
for (let round = 0; round < 3; round++)
for (const kind of Object.keys(q)) {
  const ts: number[] = []
  for (const query of q[kind]) { const s = performance.now(); search(state, query); ts.push(performance.now() - s); await new Promise((r) => setImmediate(r)) }
  const times = ts.sort((a: number, b: number) => a - b)
  console.log(round, kind.padEnd(11), 'p50', times[times.length >> 1].toFixed(3), 'p99', times[Math.floor(times.length * 0.99)].toFixed(2), 'max', times[times.length-1].toFixed(2), mem())
}
console.log(process.memoryUsage(), mem())
;(globalThis as any).gc?.()
console.log('after gc', process.memoryUsage(), mem())
process.exit(0)
