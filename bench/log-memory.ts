import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { EventLog, Lamport, Millis, SignedEvent, Signer, UnsignedEvent } from '../src/events/index.ts'
import { signEvent } from '../src/events/index.ts'
import { livenessProjection } from '../src/projections/liveness/index.ts'
import { signerOf } from './log-corpus.ts'
import { openLog } from './log-directory.ts'

const AUTHORS = 50
const PER_COMMIT = 100

/** A log of many events whose signatures are zeros: the log does not look at them, and signing 5 million takes minutes. */
export async function fillUnsigned(directory: string, count: number, draft: (number: number) => UnsignedEvent): Promise<void> {
  const authors = Array.from({ length: AUTHORS }, (_, number): Signer => {
    const { id } = signerOf(number)
    return { id, sign: () => new Uint8Array(64) }
  })
  await using log = await openLog(directory)
  let events: SignedEvent[] = []
  for (let number = 0; number < count; number++) {
    const authorSeq = Math.floor(number / AUTHORS) + 1
    const stamp = { lamport: (number + 1) as Lamport, authorSeq, at: (1.8e12 + number) as Millis }
    events.push(signEvent(draft(number), stamp, authors[number % AUTHORS] as Signer))
    if (events.length < PER_COMMIT && number < count - 1) continue
    await log.ingest(events)
    events = []
  }
}

/** The table of all changes, as a node rebuilds it. */
export async function foldLiveness(log: EventLog): Promise<void> {
  const projection = livenessProjection(log.author)
  let state = projection.initial()
  for await (const batch of log.readBatches({ kinds: projection.handles })) {
    for (const envelope of batch) state = projection.apply(state, envelope)
  }
}

/** Anonymous memory of this process in MB; undefined where the kernel does not tell. */
function anonymousMegabytes(): number | undefined {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

/** The most memory that a process takes which replays a log, in MB. */
export async function replayedWithin(directory: string, count: number): Promise<number | undefined> {
  if (anonymousMegabytes() === undefined) return undefined
  const { stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, directory, String(count)], { encoding: 'utf8' })
  const megabytes = Number(stdout)
  if (!(megabytes > 0)) throw new Error(`the replay failed: ${stderr}`)
  return megabytes
}

if (import.meta.main) {
  const [directory = '', count] = process.argv.slice(2)
  await using log = await openLog(directory)
  let [most, events] = [0, 0]
  for await (const batch of log.readBatches()) {
    events += batch.length
    most = Math.max(most, anonymousMegabytes() ?? 0)
  }
  if (events !== Number(count)) throw new Error(`replayed ${events} events`)
  console.log(most.toFixed(1))
}
