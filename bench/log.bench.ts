import { verifyLog } from '../src/events/damage/verify-log.fs.ts'
import type { SignedEvent } from '../src/events/index.ts'
import { TEST_NETWORK } from '../test/events/test-network.ts'
import { type Bench, median, timed } from './harness.ts'
import { fileAppending, ingesting, p99, signing, signingAlone, sqliteAppending } from './log-append.ts'
import { change, mixed, signedEvents, verdict } from './log-corpus.ts'
import { makeLog, openLog, withDirectory } from './log-directory.ts'
import { fillUnsigned, foldLiveness, replayedWithin } from './log-memory.ts'
import { decodeAll, fillKeys, fillSqlite, replayKeys, replayLog, replaySqlite } from './log-replay.ts'
import { foldReputation } from './log-reputation.ts'

const APPENDERS = 100

const bench: Bench = async (context) => {
  await append(context)
  await replay(context)
  await reputation(context)
  await liveness(context)
  await memory(context)
  await audit(context)
}

export default bench

const append: Bench = async ({ full, medians, report, note }) => {
  const many = signedEvents(full ? 200_000 : 100_000, mixed)
  const few = many.slice(0, full ? 10_000 : 1500)
  const slowest: number[] = []
  note(`appending ${many.length} events with ${APPENDERS} appenders, ${few.length} with one`)
  const rates = await medians({
    hundred: async () => {
      const latencies: number[] = []
      const rate = await ingesting(APPENDERS, many, latencies)
      slowest.push(p99(latencies))
      return rate
    },
    one: () => ingesting(1, few),
    signed: () => signing(APPENDERS, few.length * 20),
    signedAlone: () => signingAlone(APPENDERS, few.length * 20),
    file: () => fileAppending(few),
    sqlite: () => sqliteAppending(few, 1),
    sqliteHundred: () => sqliteAppending(many, APPENDERS),
  })
  const unit = 'events/s'
  report({
    name: 'durable append, 100 appenders, signed before',
    value: rates.hundred,
    unit,
    target: { atLeast: 100_000 },
    against: { name: 'one appender', value: rates.one },
    ratioTarget: { atLeast: 10 },
  })
  report({ name: 'the same, 99th percentile of one append', value: median(slowest), unit: 'ms', target: { atMost: 5 } })
  const file = { name: 'file append with fdatasync after each', value: rates.file }
  report({ name: 'durable append, 100 appenders, signed before', value: rates.hundred, unit, against: file })
  report({ name: 'durable append, one appender, signed before', value: rates.one, unit, against: file })
  const sqlite = { name: 'SQLite (WAL, FULL), one a transaction', value: rates.sqlite }
  report({ name: 'durable append, one appender, signed before', value: rates.one, unit, against: sqlite })
  const hundred = { name: 'SQLite (WAL, FULL), 100 a transaction', value: rates.sqliteHundred }
  report({ name: 'durable append, 100 appenders, signed before', value: rates.hundred, unit, against: hundred })
  report({
    name: 'durable append, 100 appenders, signed at the commit',
    value: rates.signed,
    unit,
    target: { atLeast: 60_000 },
    against: { name: 'signed by one thread alone', value: rates.signedAlone },
  })
}

const replay: Bench = ({ full, medians, report, note }) =>
  withDirectory(async (directory) => {
    const count = full ? 1_000_000 : 200_000
    note(`signing ${count} events to replay`)
    await fillAll(directory, signedEvents(count, mixed))
    // Every verdict judges 16 pieces, one event in four is one.
    const expected = (count / 4) * 16
    const rates = await medians({
      log: () => replayLog(directory, count, expected),
      keys: () => replayKeys(directory, count, expected),
      sqlite: () => replaySqlite(directory, count, expected),
      all: () => decodeAll(directory, count),
    })
    const unit = 'events/s'
    report({
      name: 'replay with a verdict fold, one event in four a verdict',
      value: rates.log,
      unit,
      target: { atLeast: 1_500_000 },
      against: { name: 'one event a key', value: rates.keys },
      ratioTarget: { atLeast: 3 },
    })
    const sqlite = { name: 'SQLite scan', value: rates.sqlite }
    report({ name: 'replay with a verdict fold, one event in four a verdict', value: rates.log, unit, against: sqlite })
    report({ name: 'replay of every event, decoded', value: rates.all, unit })
  })

/** In a function of its own: events that stay in memory slow down what is measured after them, by the collector's work. */
async function fillAll(directory: string, events: readonly SignedEvent[]): Promise<void> {
  await makeLog(directory, events)
  await fillKeys(directory, events)
  fillSqlite(directory, events)
}

const reputation: Bench = ({ rounds, report, note }) =>
  withDirectory(async (directory) => {
    note('writing 1,000,000 verdicts')
    await fillUnsigned(directory, 1_000_000, verdict)
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      await using log = await openLog(directory)
      took.push(await timed(() => foldReputation(log)))
    }
    report({ name: 'reputation from 1M verdicts', value: median(took) / 1000, unit: 's', target: { atMost: 1 } })
  })

const liveness: Bench = ({ rounds, report, note }) =>
  withDirectory(async (directory) => {
    note('writing 1,000,000 changes of members')
    await fillUnsigned(directory, 1_000_000, change)
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      await using log = await openLog(directory)
      took.push(await timed(() => foldLiveness(log)))
    }
    report({ name: 'liveness from 1M changes', value: median(took) / 1000, unit: 's', target: { atMost: 1 } })
  })

/** Highest RssAnon of a process that does nothing else, read from the kernel after each batch: pages of files do not count. */
const memory: Bench = ({ full, report, note }) =>
  withDirectory(async (directory) => {
    const count = full ? 5_000_000 : 500_000
    note(`writing ${count} events to replay in a process of its own`)
    await fillUnsigned(directory, count, mixed)
    const megabytes = await replayedWithin(directory, count)
    if (megabytes === undefined) note('skipped: memory of a replay, the kernel does not tell RssAnon')
    else {
      const name = `memory of a replay of ${full ? '5M' : '500,000'} events, above the mapped files`
      report({ name, value: megabytes, unit: 'MB', target: { atMost: 300 } })
    }
  })

const audit: Bench = ({ full, rounds, report, note }) =>
  withDirectory(async (directory) => {
    const count = full ? 1_000_000 : 100_000
    note(`auditing ${count} signatures`)
    await makeLog(directory, signedEvents(count, mixed))
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      took.push(
        await timed(async () => {
          const verdictOfLog = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
          if (!verdictOfLog.intact || verdictOfLog.signaturesChecked !== count)
            throw new Error('an intact log was called damaged')
        }),
      )
    }
    const seconds = (median(took) / 1000) * (1_000_000 / count)
    const name = `audit of 1M events with every signature${full ? '' : ', from 100,000'}`
    report({ name, value: seconds, unit: 's', target: { atMost: 40 } })
  })
