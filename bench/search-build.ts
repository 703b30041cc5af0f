import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { privateMemory } from './private-memory.ts'
import { eachTitle } from './search-corpus.ts'
import { runnerOver, searchLog } from './search-log.ts'
import { TEST_OWNER_OF_STORE } from './search-store.ts'

// A process of its own that builds an index from a log which is made up as it is read: nothing but the index is in its memory, so that
// its collector and its longest stall are those of a node.

const [directory = '', count = '', seed = ''] = process.argv.slice(2)

export type Built = { readonly ms: number; readonly stallMs: number; readonly privateBytes: number }

/** At its highest. */
let privateBytes = 0
const look = (): void => {
  privateBytes = Math.max(privateBytes, privateMemory())
}

const log = searchLog({ [Symbol.iterator]: () => eachTitle(Number(count), Number(seed)) })
await using store = await openLevelProjectionStore({ directory, owner: TEST_OWNER_OF_STORE })
await using runner = runnerOver(log, store)
const looking = setInterval(look, 250)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const begun = performance.now()
await runner.open()
const ms = performance.now() - begun
delay.disable()
clearInterval(looking)
look()
process.stdout.write(JSON.stringify({ ms, stallMs: delay.max / 1e6, privateBytes } satisfies Built))
