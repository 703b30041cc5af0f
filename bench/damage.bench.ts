import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { repairLog } from '../src/events/damage/repair-log.level.ts'
import { verifyLog } from '../src/events/damage/verify-log.fs.ts'
import type { UnsignedEvent } from '../src/events/index.ts'
import { readLevelLog } from '../src/events/log/event-log.level.ts'
import { TEST_NETWORK } from '../test/events/test-network.ts'
import { DAMAGES } from './damages.ts'
import type { Bench } from './harness.ts'
import { mixed, signedEvents, signerOf } from './log-corpus.ts'
import { OWN_SIGNER, openLog, withDirectory } from './log-directory.ts'
import { randomFrom, seedOfRun } from './seeded-random.ts'

// Damage to the files of a real log: whether `log verify` says so with a range, and whether after a repair every event is
// there whose bytes still were. What is drawn is printed by its seed: P2PT_SEED draws the same again.

const OWNER = { author: signerOf(10_000).id, network: TEST_NETWORK }
/** Events that are gone after a repair are looked for in the damaged files, so many of each damage. */
const LOOKED_FOR_MAX = 12
const SIGNATURE_BYTES = 64

const bench: Bench = ({ full, report, note, only }) =>
  withDirectory(async (directory) => {
    const seed = seedOfRun()
    const random = randomFrom(seed)
    const [original, older, foreign] = ['original', 'older', 'foreign'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const events = full ? 520_000 : 50_000
    note(`seed ${seed}; signing ${events} events`)
    mkdirSync(original)
    mkdirSync(foreign)
    await grow(original, events, 50)
    linked(original, older)
    await grow(original, 0, 3_000)
    await grow(foreign, 20_000, 50, 77)
    const bytes = bytesOf(join(original, 'log'))
    report({ name: 'size of the log', value: bytes / 1e6, unit: 'MB', ...(full ? { target: { atLeast: 100 } } : {}) })
    linked(original, join(directory, 'whole'))
    const whole = {
      signatures: await signaturesOf(join(directory, 'whole')),
      eventsAt: async (seqs: number[]) => {
        await using log = await readLog(join(directory, 'whole'))
        return (await log.readSignedAt(seqs)).map(({ body, signature }) => Buffer.concat([body, signature]))
      },
    }

    const kinds = Object.entries(DAMAGES).filter(([name]) => only === undefined || name === only)
    const [damages, intact] = full ? [300, 30] : [2 * kinds.length, 5]
    let [reported, saved, undamaged] = [0, 0, 0]
    for (let round = 0; round < damages; round++) {
      const copy = linked(original, join(directory, 'copy'))
      const [, damage] = kinds[round % kinds.length] as (typeof kinds)[number]
      const what = damage({ directory: copy, older, foreign, random })
      const { intact: unnoticed, ranges } = await verifyLog(copy)
      if (!unnoticed && ranges.length > 0) reported++
      else note(`not reported: ${what}`)
      const damaged = readdirSync(join(copy, 'log'), { withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [readFileSync(join(copy, 'log', entry.name))] : [],
      )
      const { lost, after } = await repairLog(copy, OWNER)
      const left = await signaturesOf(copy)
      const [gone, wrong] = compared(whole.signatures, left)
      const events = await whole.eventsAt(sample(gone, random))
      const missed = events.filter((event) => damaged.some((file) => file.includes(event)))
      if (missed.length === 0 && wrong === 0 && after.intact) saved++
      else
        note(
          `${JSON.stringify(lost.slice(0, 3))} ${what}: ${missed.length} of ${gone.length} gone events are in its files, ${wrong} are wrong`,
        )
      if (lost.length === 0) undamaged++
      rmSync(copy, { recursive: true })
      if (round % 20 === 19) note(`${round + 1} damages, ${reported} reported, ${saved} saved`)
    }
    report({
      name: `of ${damages} damages of ${kinds.length} kinds, reported with a range`,
      ...{ value: reported, unit: 'damages', target: { atLeast: damages } },
    })
    report({
      name: `of ${damages} repaired, all events there whose bytes were`,
      ...{ value: saved, unit: 'logs', target: { atLeast: damages } },
    })
    report({ name: `of ${damages} repaired, nothing lost`, value: undamaged, unit: 'logs' })

    let alarms = 0
    for (let round = 0; round < intact; round++) {
      const copy = linked(original, join(directory, 'copy'))
      // Each another log: some more events, closed again.
      await grow(copy, 0, 1 + Math.floor(random() * 300))
      if (!(await verifyLog(copy)).intact) alarms++
      rmSync(copy, { recursive: true })
    }
    report({ name: `of ${intact} intact logs, called damaged`, value: alarms, unit: 'logs', target: { atMost: 0 } })
  })

export default bench

const OWN: UnsignedEvent = { stream: 'local', event: { kind: 'node.stopped', reason: 'grown' } }

/** Adds events of others, and small commits of its own at the end, in LevelDB's own log. */
async function grow(directory: string, count: number, own: number, author?: number): Promise<void> {
  await using log = await openLog(directory, author === undefined ? OWN_SIGNER : signerOf(author))
  const events = signedEvents(count, mixed)
  for (let from = 0; from < events.length; from += 100) {
    await log.ingest(events.slice(from, from + 100))
    if (from % 500 === 0) await log.append([OWN], { durable: false })
  }
  for (let number = 0; number < own; number++) {
    await log.append([mixed(number), OWN], { durable: false })
  }
}

/** The signature of each event by its place; empty where there is none. */
async function signaturesOf(directory: string): Promise<Buffer> {
  await using log = await readLog(directory)
  const signatures = Buffer.alloc((log.head + 1) * SIGNATURE_BYTES)
  const step = 4_096
  for (let from = 1; from <= log.head; from += step) {
    const seqs = Array.from({ length: Math.min(step, log.head - from + 1) }, (_, index) => from + index)
    for (const { seq, signature } of await placed(log, seqs)) signatures.set(signature, seq * SIGNATURE_BYTES)
  }
  return signatures
}

type Log = Awaited<ReturnType<typeof readLevelLog>>

const readLog = (directory: string): Promise<Log> => readLevelLog({ directory, upcast: (_kind, _version, payload) => payload })

async function placed(log: Log, seqs: number[]): Promise<{ seq: number; signature: Uint8Array }[]> {
  const events = await log.readSignedAt(seqs)
  if (events.length === seqs.length) return events.map(({ signature }, index) => ({ seq: seqs[index] ?? 0, signature }))
  // Some are gone: which, is found by halves.
  if (seqs.length === 1 || events.length === 0) return []
  const half = seqs.length >> 1
  return [...(await placed(log, seqs.slice(0, half))), ...(await placed(log, seqs.slice(half)))]
}

/** Places whose events are gone, and at how many there is another. */
function compared(whole: Buffer, left: Buffer): [gone: number[], wrong: number] {
  const gone: number[] = []
  let wrong = 0
  for (let at = SIGNATURE_BYTES; at < whole.length; at += SIGNATURE_BYTES) {
    const was = whole.subarray(at, at + SIGNATURE_BYTES)
    const is = left.subarray(at, at + SIGNATURE_BYTES)
    if (was.equals(is)) continue
    if (is.every((byte) => byte === 0)) gone.push(at / SIGNATURE_BYTES)
    else wrong++
  }
  return [gone, wrong]
}

function sample<T>(list: readonly T[], random: () => number): T[] {
  if (list.length <= LOOKED_FOR_MAX) return [...list]
  return Array.from({ length: LOOKED_FOR_MAX }, () => list[Math.floor(random() * list.length)] as T)
}

const bytesOf = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)

/** A copy that shares what is not changed: LevelDB never writes to a table again, and damage is done to a file of its own. */
function linked(from: string, to: string): string {
  for (const folder of ['.', 'log']) {
    mkdirSync(join(to, folder), { recursive: true })
    for (const name of readdirSync(join(from, folder))) {
      const [source, target] = [join(from, folder, name), join(to, folder, name)]
      if (!statSync(source).isFile()) continue
      if (name.endsWith('.ldb')) linkSync(source, target)
      else copyFileSync(source, target)
    }
  }
  return to
}
