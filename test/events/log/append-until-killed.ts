import { writeSync } from 'node:fs'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'

// A process that appends until it is killed: several appenders at once, every third append durable. Each number is
// written to stdout as soon as its append was acknowledged, past every buffer of this process.

const directory = process.argv[2] ?? ''
const log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast, create: true })
let number = log.head

async function appendForEver(): Promise<never> {
  for (;;) {
    const mine = ++number
    const [envelope] = await log.append([numbered(mine)], { durable: mine % 3 === 0 })
    writeSync(1, `${envelope?.seq} ${mine}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, appendForEver))
