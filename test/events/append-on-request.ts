import { createInterface } from 'node:readline'
import { openLevelLog } from '../../src/events/event-log.level.ts'
import { LogError } from '../../src/events/index.ts'
import { noUpcast, numbered, signerOf, tickingClock } from './samples.ts'

// A process that appends as many events as each line of stdin says, one commit each, and answers with a line: the
// sequences that were acknowledged, then the code of the first failure, if any.

const directory = process.argv[2] ?? ''
const log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast, create: true })

for await (const line of createInterface({ input: process.stdin })) {
  const acknowledged: number[] = []
  let failure = ''
  for (let left = Number(line); left > 0 && failure === ''; left--) {
    try {
      const [envelope] = await log.append([numbered(left)], { durable: left % 2 === 0 })
      acknowledged.push(envelope?.seq ?? 0)
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      failure = `${error.code} ${error.message}`
    }
  }
  console.log(`${acknowledged.join(',')} ${failure}`)
}
await log[Symbol.asyncDispose]()
