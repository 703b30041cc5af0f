import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { search } from '../src/projections/index.ts'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { privateMemory } from './private-memory.ts'
import { runnerOver, searchLog } from './search-log.ts'
import { TEST_OWNER_OF_STORE } from './search-store.ts'

// A process of its own that opens an index which is there, and asks it: how long until the first answer, and how much memory.

const [directory = '', head = '', queriesPath = ''] = process.argv.slice(2)
const queries = JSON.parse(readFileSync(queriesPath, 'utf8')) as string[]
const startedAt = performance.now()
const store = await openLevelProjectionStore({ directory, owner: TEST_OWNER_OF_STORE })
const log = Object.defineProperty(searchLog([]), 'head', { value: Number(head) })
const runner = runnerOver(log, store)
await runner.open()
const state = runner.state('keyword-index')
search(state, queries[0] ?? '')
const firstMs = performance.now() - startedAt
const times: number[] = []
for (const query of queries) {
  const start = performance.now()
  search(state, query)
  times.push(performance.now() - start)
  // As between two requests: what was read is given back then.
  await setImmediate()
}
const [residentBytes, privateBytes] = [process.memoryUsage.rss(), privateMemory()]
process.stdout.write(JSON.stringify({ firstMs, times, residentBytes, privateBytes, digest: runner.digest('keyword-index') }))
process.exit(0)
