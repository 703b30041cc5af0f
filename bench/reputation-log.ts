import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  type EventLog,
  encodeBundleEnd,
  encodeBundleEvent,
  encodeBundleHeader,
  type Lamport,
  type Millis,
  type NodeId,
  type SignedEvent,
  signEvent,
} from '../src/events/index.ts'
import { systemClock, systemTimers } from '../src/events/model/time.system.ts'
import { allProjections, type ProjectionStates } from '../src/projections/all.ts'
import { createProjectionRunner } from '../src/projections/index.ts'
import { openMemoryProjectionStore } from '../src/projections/projection-store.memory.ts'
import { newSha256 } from '../src/projections/sha256.system.ts'
import { newTurns } from '../src/projections/turns.system.ts'
import { createLogQueries } from '../src/roles/node/log-queries.ts'
import type { LogQueries } from '../src/roles/services.ts'
import { TEST_JOINED, TEST_KEYS } from '../test/events/test-network.ts'
import { resultOf } from '../test/roles/result-of.ts'
import type { BenchContext } from './harness.ts'
import { signerOf } from './log-corpus.ts'
import { openLog, withDirectory } from './log-directory.ts'
import { randomFrom } from './seeded-random.ts'

// The questions about reputation, asked of a log on disk with many verdicts: the processor time that each takes, how long the node
// stands still meanwhile (of a busy machine that is the machine's doing), and what it keeps in memory.

const SEED = 4
const [AUTHORS, SUBJECTS, OWN_SHARE] = [50, 1000, 0.3]
/** Events of one batch. */
const BATCH = 1_000
/** Nobody checks these signatures: what is measured begins where a log takes what was checked. */
const UNSIGNED = new Uint8Array(64)

const [SIGNER, ...OTHERS] = Array.from({ length: AUTHORS + 1 }, (_, index) => ({ ...signerOf(index), sign: () => UNSIGNED }))
const subjectOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId

/** One subject in twenty spoils half of its pieces, so that there is something to ask about. */
function verdict(random: () => number): SignedEventDraft {
  const number = Math.floor(random() * SUBJECTS)
  const isBad = number % 20 === 0 && random() < 0.5
  const piece = { index: 1, offset: 0, length: 16_384, expected: '00'.repeat(20), received: 'ff'.repeat(20) }
  const bad = isBad ? [{ ...piece, evidence: 'sole-source' as const }] : []
  return {
    kind: 'piece.judged',
    subject: subjectOf(number),
    infoHash: 'a'.repeat(40) as never,
    good: isBad ? [] : [{ first: 0, count: 4 }],
    bad,
  }
}
type SignedEventDraft = Parameters<EventLog['append']>[0][number]['event']

async function fill(log: EventLog, verdicts: number): Promise<void> {
  const random = randomFrom(SEED)
  const numbers = new Array<number>(AUTHORS).fill(0)
  for (let from = 0; from < verdicts; from += BATCH) {
    const own: { event: SignedEventDraft }[] = []
    const heard: SignedEvent[] = []
    for (let index = 0; index < BATCH; index++) {
      const event = verdict(random)
      if (random() < OWN_SHARE) own.push({ event })
      else {
        const author = Math.floor(random() * AUTHORS)
        numbers[author] = (numbers[author] ?? 0) + 1
        const stamp = {
          lamport: (from + index + 1) as Lamport,
          authorSeq: numbers[author] ?? 0,
          at: (1.8e12 + from + index) as Millis,
        }
        const signer = OTHERS[author]
        if (signer !== undefined) heard.push(signEvent({ stream: 'gossip', event }, stamp, signer))
      }
    }
    await log.ingest(heard)
    await log.append(own, { durable: false })
  }
}

/** The log as a bundle of its own: what another node would have that saw the same and lacks the last tenth. */
async function bundle(log: EventLog, file: string): Promise<void> {
  const output = createWriteStream(file)
  const hash = createHash('sha256')
  const write = async (piece: Uint8Array) => {
    hash.update(piece)
    if (!output.write(piece)) await once(output, 'drain')
  }
  const last = Math.floor(log.head * 0.9)
  await write(encodeBundleHeader({ author: log.author, head: last, at: 0, genesis: TEST_JOINED.genesis }))
  for (let from = 1; from <= last; from += BATCH) {
    const seqs = Array.from({ length: Math.min(BATCH, last - from + 1) }, (_, index) => from + index)
    for (const event of await log.readSignedAt(seqs)) await write(encodeBundleEvent(event))
  }
  await write(encodeBundleEnd(last))
  output.end(hash.digest())
  await once(output, 'finish')
}

const MEGABYTE = 2 ** 20

export async function measureLog(verdicts: number, { note, report }: Pick<BenchContext, 'note' | 'report'>): Promise<void> {
  await withDirectory(async (directory) => {
    if (SIGNER === undefined) return
    await using log = await openLog(join(directory, 'log'), SIGNER)
    await fill(log, verdicts)
    await using states = createProjectionRunner<ProjectionStates>({
      ...{ log, store: openMemoryProjectionStore(), timers: systemTimers, newSha256, newTurns },
      projections: allProjections(log.author, TEST_KEYS),
    })
    await states.open()
    const file = join(directory, 'other.bundle')
    await bundle(log, file)
    const queries: LogQueries = createLogQueries({
      ...{ log, states, newSha256, newTurns, joined: TEST_JOINED, clock: systemClock },
      sign: () => UNSIGNED,
      verifyLog: () => {
        throw new Error('not asked for')
      },
    })
    note(`${log.head.toLocaleString('en')} verdicts of ${AUTHORS + 1} nodes on ${SUBJECTS} peers, seed ${SEED}`)
    const banned = (await queries.scores()).find(({ standing }) => standing === 'banned')
    if (banned === undefined) throw new Error('nobody is banned')
    const works: readonly [string, number | undefined, () => Promise<unknown>][] = [
      ['explain', 1000, () => queries.explain(banned.peer)],
      ['bisect', 2000, () => resultOf(queries.bisect(banned.peer))],
      ['two times of everybody', undefined, () => resultOf(queries.hindsight())],
      ['replay', undefined, () => resultOf(queries.replay({}))],
      ['diff', 5000, () => resultOf(queries.diff({ file }))],
    ]
    for (const [name, most, work] of works) {
      const delay = monitorEventLoopDelay({ resolution: 5 })
      global.gc?.()
      const before = process.memoryUsage()
      let highest = 0
      const watch = setInterval(() => {
        const { heapUsed, arrayBuffers } = process.memoryUsage()
        highest = Math.max(highest, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers)
      }, 50)
      delay.enable()
      const start = process.cpuUsage()
      await work()
      const { user, system } = process.cpuUsage(start)
      const elapsed = (user + system) / 1000
      delay.disable()
      clearInterval(watch)
      const of = `${name}, ${verdicts.toLocaleString('en')} verdicts`
      report({
        name: of,
        value: elapsed,
        unit: 'ms of a processor',
        ...(most === undefined ? {} : { target: { atMost: most } }),
      })
      report({ name: `${of}: longest stand-still`, value: delay.max / 1e6, unit: 'ms' })
      report({ name: `${of}: memory`, value: highest / MEGABYTE, unit: 'MB' })
    }
  })
}
