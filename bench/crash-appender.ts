import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openLevelLog } from '../src/events/log/event-log.level.ts'
import { systemClock, systemTimers } from '../src/events/model/time.system.ts'
import { allProjections, type ProjectionStates } from '../src/projections/all.ts'
import { createProjectionRunner } from '../src/projections/index.ts'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { newSha256 } from '../src/projections/sha256.system.ts'
import { TEST_KEYS, TEST_NETWORK } from '../test/events/test-network.ts'
import { mixed, signerOf } from './log-corpus.ts'

// A node's log and projections, appended to until the process is killed: DIRECTORY durable|fast. Each acknowledged event
// is written to stdout, past every buffer of this process.

const [directory = '', mode = 'durable'] = process.argv.slice(2)
const signer = signerOf(1)
const log = await openLevelLog({
  ...{ directory, signer, clock: systemClock, upcast: (_kind: number, _version: number, payload: Uint8Array) => payload },
  create: true,
})
const states = createProjectionRunner<ProjectionStates>({
  ...{ log, projections: allProjections(signer.id, TEST_KEYS), timers: systemTimers, newSha256 },
  store: await openLevelProjectionStore({
    directory: join(directory, 'projections'),
    owner: { author: signer.id, network: TEST_NETWORK },
  }),
  checkpointEvents: 200,
})
await states.open()
let number = log.head

async function appendForEver(): Promise<never> {
  for (;;) {
    const mine = ++number
    const told = { event: { kind: 'node.stopped' as const, reason: String(mine) } }
    const [envelope] = await log.append([told, mixed(mine)], { durable: mode === 'durable' })
    writeSync(1, `${envelope?.seq} ${mine}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, appendForEver))
