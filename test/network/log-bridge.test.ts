import assert from 'node:assert/strict'
import { type Event, type EventLog, type InfoHash, LogError } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import type { IngestOutcome } from '../../src/network/gossip/gossip-protocol.ts'
import { INGEST_PENDING_MAX, LogBridge } from '../../src/network/log-bridge.ts'
import { noUpcast, signerOf, tickingClock } from '../events/samples.ts'
import { authorOf, eventOf } from './gossip/gossip-at-the-door.ts'

const AUTHOR = authorOf(1)
const EVENT = { kind: 'event.quarantined', sender: AUTHOR, reason: 'flood', author: null, authorSeq: 0, lamport: 0 } as const

describe('log bridge', () => {
  const bridgeTo = (changed: Partial<EventLog>) => {
    const log = Object.assign(openMemoryLog({ signer: signerOf(1), clock: tickingClock(), upcast: noUpcast }), changed)
    const told = { done: [] as IngestOutcome[], failed: [] as [number[], string][], notices: [] as string[] }
    const countOf = (event: Event): number => (event.kind === 'event.quarantined' ? event.count : 0)
    const bridge = new LogBridge({
      log,
      appender: log,
      onOwn: () => {},
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
})
