import assert from 'node:assert/strict'
import { type Event, type EventLog, type InfoHash, LogError } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import type { IngestOutcome, OwnEvent } from '../../src/network/gossip/gossip-protocol.ts'
import { INGEST_PENDING_MAX, LogBridge } from '../../src/network/log-bridge.ts'
import { noUpcast, signerOf, tickingClock } from '../events/samples.ts'
import { authorOf, eventOf } from './gossip/gossip-at-the-door.ts'

const AUTHOR = authorOf(1)
const EVENT = { kind: 'event.quarantined', sender: AUTHOR, reason: 'flood', author: null, authorSeq: 0, lamport: 0 } as const

describe('log bridge', () => {
  type Real = Pick<EventLog, 'append' | 'readSignedAt'>
  const bridgeTo = (changed: Partial<EventLog> | ((real: Real) => Partial<EventLog>)) => {
    const log = openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: noUpcast })
    const real: Real = { append: log.append.bind(log), readSignedAt: log.readSignedAt.bind(log) }
    Object.assign(log, typeof changed === 'function' ? changed(real) : changed)
    const told = {
      done: [] as IngestOutcome[],
      failed: [] as [number[], string][],
      notices: [] as string[],
      own: [] as OwnEvent[],
    }
    const countOf = (event: Event): number => (event.kind === 'event.quarantined' ? event.count : 0)
    const bridge = new LogBridge({
      log,
      appender: log,
      onOwn: (events) => told.own.push(...events),
      onIngestDone: (outcome) => told.done.push(outcome),
      onAppendFailed: (events, why) => told.failed.push([events.map(countOf), why]),
      onNotice: (text) => told.notices.push(text),
    })
    return { bridge, told, log }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const full = async () => Promise.reject(new LogError({ code: 'LOG_WRITE_FAILED', reason: 'No space left on device' }))

  it('appends what one turn wants together, and tells of each when the log cannot be written', async () => {
    const { bridge, told } = bridgeTo({ append: full })
    bridge.append({ ...EVENT, count: 1 })
    bridge.append({ ...EVENT, count: 2 })
    await bridge.settled()
    bridge.append({ ...EVENT, count: 3 })
    await bridge.settled()
    assert.deepEqual(told.failed, [
      [[1, 2], 'unwritable'],
      [[3], 'unwritable'],
    ])
    assert.deepEqual(told.notices, [], 'whoever opened the log is told by it')
  })

  it('tells what the log refuses, with a notice', async () => {
    const { bridge, told } = bridgeTo({ append: async () => Promise.reject(new LogError({ code: 'LOG_CLOSED' })) })
    bridge.append({ ...EVENT, count: 1 })
    await bridge.settled()
    assert.deepEqual(told.failed, [[[1], 'refused']])
    assert.equal(told.notices.length, 1)
  })

  it('has told of what it appended and of what it read when it is settled', async () => {
    const gate = { append: Promise.withResolvers<void>(), read: Promise.withResolvers<void>() }
    const { bridge, log, told } = bridgeTo((real) => ({
      append: async (...drafts: Parameters<EventLog['append']>) => {
        await gate.append.promise
        return real.append(...drafts)
      },
      readSignedAt: async (seqs: readonly number[]) => {
        await gate.read.promise
        return real.readSignedAt(seqs)
      },
    }))
    let settled = 0
    const settles = async () => {
      await bridge.settled()
      settled++
    }
    bridge.append({ ...EVENT, count: 1 })
    void settles()
    await turn()
    assert.deepEqual([settled, log.head], [0, 0])
    log.onAppended((envelopes) => bridge.publish(envelopes))
    gate.append.resolve()
    await turn()
    assert.deepEqual([settled, log.head, told.own.length], [0, 1, 0], 'stored, and yet to be read')
    gate.read.resolve()
    await turn()
    assert.deepEqual([settled, told.own.map(({ header }) => header.authorSeq), told.notices], [1, [1], []])
  })

  it('gives own events with their bytes in the order of the log, and tells what it cannot read, which ends nothing', async () => {
    let isBroken = false
    const { bridge, log, told } = bridgeTo((real) => ({
      readSignedAt: async (seqs: readonly number[]) => {
        if (isBroken) throw new Error('of the disk')
        return real.readSignedAt(seqs)
      },
    }))
    const envelopes = await log.append([{ event: { ...EVENT, count: 1 } }, { event: { ...EVENT, count: 2 } }])
    bridge.publish(envelopes.slice(0, 1))
    await bridge.settled()
    isBroken = true
    bridge.publish(envelopes.slice(0, 1))
    await bridge.settled()
    isBroken = false
    bridge.publish(envelopes)
    await bridge.settled()
    assert.deepEqual(
      told.own.map(({ header }) => header.authorSeq),
      [1, 1, 2],
    )
    const signed = await log.readSignedAt([1, 1, 2])
    assert.deepEqual(
      told.own.map(({ event }) => event),
      signed,
    )
    assert.equal(told.notices.length, 1)
  })

  it('tells of events of others which are stored, which are not, and whether the log failed', async () => {
    const { bridge, told } = bridgeTo({})
    const event: Event = { kind: 'piece.judged', subject: AUTHOR, infoHash: '1'.repeat(40) as InfoHash, good: [], bad: [] }
    const [first, jump] = [eventOf(AUTHOR, 1, { event }), eventOf(AUTHOR, 2, { event, lamport: Number.MAX_SAFE_INTEGER + 1 })]
    bridge.ingest([first, jump])
    await turn()
    bridge.ingest([first])
    await turn()
    const broken = bridgeTo({ ingest: full })
    broken.bridge.ingest([first])
    await turn()
    assert.deepEqual(
      [...told.done, ...broken.told.done],
      [
        { took: true, failed: false, notTaken: [{ author: AUTHOR, authorSeq: 2 }] },
        { took: false, failed: false, notTaken: [] },
        { took: false, failed: true, notTaken: [{ author: AUTHOR, authorSeq: 1 }] },
      ],
    )
  })

  it('hands 16,384 events to the log that it has not stored yet, and gives back what is more', async () => {
    assert.equal(INGEST_PENDING_MAX, 16_384)
    const { promise, resolve } = Promise.withResolvers<[]>()
    const { bridge, told } = bridgeTo({ ingest: () => promise })
    bridge.ingest(Array.from({ length: INGEST_PENDING_MAX }, () => eventOf(AUTHOR, 1)))
    assert.deepEqual(told.done, [])
    bridge.ingest([eventOf(AUTHOR, 2)])
    assert.deepEqual(told.done, [{ took: false, failed: false, notTaken: [{ author: AUTHOR, authorSeq: 2 }] }])
    resolve([])
    await turn()
    bridge.ingest([eventOf(AUTHOR, 3)])
    assert.equal(told.done.length, 2, 'there is room again')
  })

  it('has room again for events of others after the log has failed', async () => {
    let isBroken = true
    const { bridge, told } = bridgeTo({
      ingest: async (events) => (isBroken ? full() : events.map(() => ({ outcome: 'duplicate' }))),
    })
    const many = Array.from({ length: INGEST_PENDING_MAX }, () => eventOf(AUTHOR, 1))
    bridge.ingest(many)
    await turn()
    isBroken = false
    bridge.ingest(many)
    await turn()
    assert.deepEqual(
      told.done.map(({ failed, notTaken }) => [failed, notTaken.length]),
      [
        [true, many.length],
        [false, 0],
      ],
    )
  })
})
