import { deepEqual, equal, rejects } from 'node:assert/strict'
import { type LogView, type Millis, scanBody } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { logStats } from '../../../src/roles/node/log-stats.ts'
import type { WalkProgress } from '../../../src/roles/services.ts'
import { foreign, noUpcast, numbered, signerOf } from '../../events/samples.ts'
import { countedTurns } from '../../projections/counted-turns.ts'
import { resultOf } from '../result-of.ts'

const WINDOW_EVENTS = 1_024
const DAY_MS = 86_400_000
const NOW = 1_800_000_000_000

describe('the statistics of a log', () => {
  const logOf = () => {
    let now = NOW
    return openMemoryLog({ signer: signerOf(1), clock: { now: () => now++ as Millis }, upcast: noUpcast })
  }
  const seen = async (log: LogView, options: { read?: boolean } = { read: true }) => {
    const told: WalkProgress[] = []
    const call = logStats(log, countedTurns().newTurns(), options)
    for (;;) {
      const step = await call.next()
      if (step.done === true) return { ...step.value, told }
      told.push(step.value)
    }
  }
  /** A log whose arrivals are these. */
  const arrived = (log: LogView, arrivals: LogView['arrivals']): LogView =>
    new Proxy(log, {
      get(target, name) {
        if (name === 'arrivals') return arrivals
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })

  it('are what is known without reading, unless it is asked for', async () => {
    await using log = logOf()
    await log.append([numbered(1), numbered(2)])
    await log.ingest([foreign(signerOf(2), 1, 9)])
    const { told, ...stats } = await seen(log, {})
    deepEqual(stats, {
      ...{ events: 3, authors: 2, lamport: 9, gone: 0, bytesOnDisk: 0, sinceAt: null, growthPerDay: null, read: null },
    })
    deepEqual(told, [])
  })

  it('are nothing of an empty log', async () => {
    await using log = logOf()
    deepEqual((await seen(log)).read, { bytes: 0, firstAt: null, lastAt: null, byKind: [] })
  })

  it('count every event once, its bytes with its signature, by kind, the largest first', async () => {
    await using log = logOf()
    const small = { stream: 'local', event: { kind: 'node.stopped', reason: '' } } as const
    await log.append([small, small, numbered(1), small])
    const sizes = (await log.readSignedAt([1, 2, 3, 4])).map(({ body, signature }) => body.length + signature.length)
    const [a = 0, b = 0, left = 0, c = 0] = sizes
    const { read } = await seen(log)
    deepEqual(read, {
      ...{ bytes: a + b + left + c, firstAt: NOW, lastAt: NOW + 3 },
      byKind: [
        { kind: 'node.stopped', events: 3, bytes: a + b + c },
        { kind: 'member.left', events: 1, bytes: left },
      ],
    })
  })

  it('name kinds that this version does not know as one', async () => {
    await using log = logOf()
    const other = signerOf(2)
    const unknown = [1, 2].map((seq) => {
      const body = foreign(other, seq, seq).body.slice()
      // The fourth byte is the kind.
      body[3] = 100 + seq
      equal(scanBody(body).kind, 100 + seq)
      return { body, signature: other.sign('event', body) }
    })
    await log.ingest(unknown)
    deepEqual(
      (await seen(log)).read?.byKind.map(({ kind, events }) => [kind, events]),
      [['unknown', 2]],
    )
  })

  it('read a log of more than one window to its end, and tell how far they are', async () => {
    await using log = logOf()
    await log.append(Array.from({ length: WINDOW_EVENTS + 1 }, (_, at) => numbered(at)))
    const asked: number[] = []
    const watched = new Proxy(log, {
      get(target, name) {
        if (name === 'readSignedAt')
          return (seqs: number[]) => {
            asked.push(seqs[0] ?? 0, seqs.at(-1) ?? 0)
            return target.readSignedAt(seqs)
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { read, told } = await seen(watched)
    equal(read?.byKind[0]?.events, WINDOW_EVENTS + 1)
    deepEqual(asked, [1, WINDOW_EVENTS, WINDOW_EVENTS + 1, WINDOW_EVENTS + 1])
    deepEqual(told.at(-1), { done: WINDOW_EVENTS + 1, total: WINDOW_EVENTS + 1 })
  })

  it('tell what comes in a day, over the last week, by when it arrived', async () => {
    await using log = logOf()
    await log.append([numbered(1), numbered(2), numbered(3)])
    const growth = async (...arrivals: [days: number, seq: number][]) => {
      const view = arrived(
        log,
        arrivals.map(([days, seq]) => ({ at: (NOW + days * DAY_MS) as Millis, seq })),
      )
      return (await seen(view)).growthPerDay
    }
    const each = ((await seen(log)).read?.bytes ?? 0) / 3
    deepEqual(await growth([0, 1], [2, 201]), { events: 100, bytes: Math.round(100 * each) })
    // What came before the last week does not count; what came just as long ago does.
    deepEqual((await growth([0, 1], [1, 1_000], [8, 1_070]))?.events, 10)
    equal(await growth([0, 1], [1 - 1 / DAY_MS, 1_000], [8, 1_070]), null)
    equal(await growth([0, 1]), null)
    equal(await growth(), null)
    const unread = arrived(log, [
      { at: NOW as Millis, seq: 1 },
      { at: (NOW + DAY_MS) as Millis, seq: 11 },
    ])
    const { growthPerDay, sinceAt } = await resultOf(logStats(unread, countedTurns().newTurns()))
    deepEqual([growthPerDay, sinceAt], [{ events: 10, bytes: null }, NOW])
  })

  it('end when their caller goes', async () => {
    await using log = logOf()
    await log.append([numbered(1)])
    const call = logStats(log, countedTurns().newTurns(), { read: true })
    await call.return(undefined as never)
    deepEqual(await call.next(), { done: true, value: undefined })
    await rejects(call.throw(new Error('gone')), /gone/)
  })
})
