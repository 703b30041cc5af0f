import { createInterface } from 'node:readline'
import { LogError } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'

// A process that appends as many events as each line of stdin says, one commit each, and answers with a line: the
// sequences that were acknowledged, then the code of the first failure, if any. To `read` it answers with the sequences
// that it reads, and to `recover` with whether it can be written again.

const directory = process.argv[2] ?? ''
const log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast, create: true })

for await (const line of createInterface({ input: process.stdin })) {
  const acknowledged: number[] = []
  let failure = ''
  if (line === 'recover') {
    console.log(` ${await log.recover()} ${log.writeFailure ?? ''}`)
    continue
  }
  if (line === 'read') {
    try {
      for await (const { seq } of log.read()) acknowledged.push(seq)
      await log.readSignedAt(acknowledged)
      if (!(await log.verify()).ranges.every(() => false)) failure = 'damaged'
    } catch (error) {
      failure = String(error)
    }
  }
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
