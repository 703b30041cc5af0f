import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { makeTitles } from './search-corpus.ts'
import { runnerOver, searchLog } from './search-log.ts'
import { TEST_OWNER_OF_STORE } from './search-store.ts'
import { readFileSync } from 'node:fs'
const [dir, n] = process.argv.slice(2)
const titles = makeTitles(Number(n), 20)
const mem = () => readFileSync('/proc/self/status','utf8').match(/Rss(Anon|File).*|VmRSS.*/g)?.join(' ')
console.log('titles', mem())
const store = await openLevelProjectionStore({ directory: dir as string, owner: TEST_OWNER_OF_STORE })
const runner = runnerOver(searchLog(titles), store)
const delay = monitorEventLoopDelay({ resolution: 1 }); delay.enable()
let last = performance.now()
const big: string[] = []
const t = setInterval(() => { const now = performance.now(); if (now - last > 70) big.push(`${Math.round(now-last)}@${Math.round(now)}`); last = now }, 1)
const t0 = performance.now()
const c0 = process.cpuUsage()
await runner.open()
const c = process.cpuUsage(c0)
console.log('open ms', performance.now() - t0, 'cpu', (c.user + c.system) / 1e6, 'max stall', delay.max / 1e6, 'p99', delay.percentile(99)/1e6, mem())
console.log('stalls', big.join(' '))
clearInterval(t)
await runner[Symbol.asyncDispose]()
await store[Symbol.asyncDispose]()
