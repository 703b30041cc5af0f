import { deepEqual, equal, ok } from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readScrubRecord } from '../../../src/events/damage/scrub-record.fs.ts'
import type { Millis } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { damageText, type LogScrub, startScrub } from '../../../src/roles/node/log-scrub.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../../events/samples.ts'
import { until } from '../until.ts'

const FIRST_AFTER_MS = 5_000
const LOOK_EVERY_MS = 3_600_000
/** It rests at least for so long at a time. */
const REST_MS = 10
const WEEK_MS = 7 * 86_400_000
/** So many that nothing has to rest. */
const AT_ONCE = 1e15

describe('the reading of a log in the background', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-log-scrub-'))
  const whole = join(root, 'whole')
  let directory: string
  let now: number
  /** What waits, in the order in which it was set. */
  let waiting: { afterMs: number; run: () => void; isOff: boolean }[]
  let told: string[]
  before(async () => {
    mkdirSync(whole)
    // The second session brings to a table what the first has written.
    for (let session = 0; session < 2; session++) {
      await using log = await openLevelLog({
        ...{ directory: whole, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast, create: true },
      })
      await log.append(Array.from({ length: 250 }, (_, at) => numbered(250 * session + at)))
    }
  })
  after(() => rmSync(root, { recursive: true, force: true }))
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'copy-'))
    cpSync(whole, directory, { recursive: true })
    // Long after the log's own clock: no start has read a table within the last week.
    now = 1_900_000_000_000
    waiting = []
    told = []
  })
  const start = (bytesPerSecond?: number): LogScrub => {
    const notices = { post: (level: string, code: string, text: string) => void told.push(`${level} ${code} ${text}`) }
    const timers = {
      after(afterMs: number, run: () => void) {
        const timer = { afterMs, run, isOff: false }
        waiting.push(timer)
        return () => {
          timer.isOff = true
        }
      },
    }
    return startScrub({ directory, clock: { now: () => now as Millis }, timers, notices }, bytesPerSecond)
  }
  const takeTimer = () => waiting.shift() ?? neverHere()
  const tables = () => readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.ldb'))
  /** Tables that were read at this time, of the virtual clock. */
  const readAt = (at: number) => Object.values(readScrubRecord(directory).checked).filter((table) => table.at === at).length
  const spoil = () => {
    const paths = tables().map((name) => join(directory, 'log', name))
    const [path = ''] = paths.sort((a, b) => statSync(b).size - statSync(a).size)
    const bytes = readFileSync(path)
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 16)
    writeFileSync(path, bytes)
  }

  it('begins some time after the start, and reads each table again after a week', async () => {
    await using scrub = start(AT_ONCE)
    const first = takeTimer()
    equal(first.afterMs, FIRST_AFTER_MS)
    equal(readAt(now), 0)
    first.run()
    await until('the tables are read', () => readAt(now) === tables().length)
    now += WEEK_MS
    const second = takeTimer()
    equal(second.afterMs, LOOK_EVERY_MS)
    second.run()
    await until('they are read again', () => readAt(now) === tables().length)
    deepEqual([scrub.damage, told], [[], []])
  })

  it('tells of a table that is damaged, and goes on', async () => {
    spoil()
    await using scrub = start(AT_ONCE)
    takeTimer().run()
    await until('the damage is told', () => told.length === 1)
    equal(scrub.damage.length, 1)
    equal(told[0], `error log.damaged ${damageText(scrub.damage[0] ?? neverHere())}`)
    equal(tables().includes(scrub.damage[0]?.file ?? ''), true)
  })

  it('reads slowly: so many bytes a second, with rests, and the last of them ends when it is stopped', async () => {
    const bytes = tables().reduce((sum, name) => sum + statSync(join(directory, 'log', name)).size, 0)
    const scrub = start(bytes / 100)
    takeTimer().run()
    await until('it rests', () => waiting.length === 2)
    const [next, rest] = waiting
    ok((rest?.afterMs ?? 0) >= REST_MS && (rest?.afterMs ?? 0) < 100_000, `${rest?.afterMs} ms`)
    equal(readAt(now) < tables().length, true)
    await scrub[Symbol.asyncDispose]()
    deepEqual([next?.isOff, rest?.isOff, waiting.length], [true, true, 2])
    deepEqual(told, [], 'that it was stopped is no fault')
  })

  it('says which events stand in what is damaged, and what to do', () => {
    const range = { from: 3, to: 90, what: 'altered' } as const
    const remedy = 'stop and start this node, which saves what is whole and asks its peers for the rest'
    equal(damageText({ file: '7.ldb', range }), `the log is damaged in 7.ldb, about events 3 to 90: ${remedy}`)
    const last = Number.MAX_SAFE_INTEGER - 1
    equal(
      damageText({ file: '7.ldb', range: { ...range, to: last } }),
      `the log is damaged in 7.ldb, from event 3 on: ${remedy}`,
    )
    ok(damageText({ file: '7.ldb', range: { ...range, to: last - 1 } }).includes(`events 3 to ${last - 1}`))
  })
})

function neverHere(): never {
  throw new Error('it is not there')
}
