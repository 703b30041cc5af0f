import { deepEqual, equal, rejects } from 'node:assert/strict'
import type { Appender, AppendOptions, Draft, Envelope } from '../../../src/events/index.ts'
import { OwnEventsGate } from '../../../src/roles/node/own-events-gate.ts'
import { hash } from '../../projections/envelopes.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const HELD_MAX = 4_096
const local: Draft = { event: { kind: 'node.stopped', reason: 'x' } }
const gossip = (number: number): Draft => ({
  event: {
    ...({ kind: 'member.left', subject: 'b'.repeat(64) as never, incarnation: number, role: 'index' } as const),
    ...{ host: '127.0.0.1', port: 4_000, dhtPort: 0 },
  },
})
const published: Draft = {
  event: { kind: 'torrent.published', infoHash: hash('x'), title: 'x', sizeBytes: 1, fileCount: 1, tags: [] },
}
const withdrawn: Draft = { event: { kind: 'torrent.withdrawn', infoHash: hash('x'), title: 'x' } }
const verified: Draft = { event: { kind: 'torrent.verified', infoHash: hash('x'), title: 'x' } }
const NOT_YET = { name: 'ServiceError', code: 'failed', message: /does not know yet which of its own events its peers hold/ }

describe('the gate of own events', () => {
  let own: SmallLog
  let asked: AppendOptions[]
  let gate: OwnEventsGate
  beforeEach(async () => {
    own = await openSmallLog()
    asked = []
    const log: Appender = {
      append(drafts, options = {}) {
        asked.push(options)
        return own.log.append(drafts, options)
      },
    }
    gate = new OwnEventsGate(log)
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const numbers = async (waiting: Promise<readonly Envelope[]>) => (await waiting).map(({ authorSeq }) => authorSeq)

  it('lets everything through at first, as it was asked for', async () => {
    await gate.append([gossip(1), local, published], { durable: true })
    deepEqual([own.log.head, asked], [3, [{ durable: true }]])
  })

  it('holds up what is for others, lets local events pass, and appends what waited in its order', async () => {
    gate.hold(false)
    const first = gate.append([gossip(1), local], { durable: true })
    await gate.append([local])
    await gate.append([])
    const second = gate.append([published])
    await settled()
    equal(own.log.head, 1)
    gate.release()
    deepEqual([await numbers(first), await numbers(second)], [[1, 2], [1]])
    deepEqual(asked, [{}, {}, { durable: true }, {}])
    await gate.append([gossip(2)])
    equal(own.log.head, 5)
  })

  it('that may be held long refuses what a person asked for, and only that', async () => {
    gate.hold(true)
    for (const draft of [published, withdrawn]) await rejects(gate.append([verified, draft]), NOT_YET)
    const waiting = gate.append([verified, gossip(1)])
    gate.hold(false)
    const asked = gate.append([published])
    gate.release()
    deepEqual([await numbers(waiting), await numbers(asked)], [[1, 1], [2]])
  })

  it('holds so many drafts, and not one more, until they are let go', async () => {
    gate.hold(false)
    const many = Array.from({ length: HELD_MAX - 1 }, (_, at) => gossip(at))
    const waiting = gate.append(many)
    await rejects(gate.append([gossip(1), gossip(2)]), NOT_YET)
    const last = gate.append([gossip(1)])
    await rejects(gate.append([gossip(2)]), NOT_YET)
    await gate.append([local])
    gate.release()
    deepEqual([(await waiting).length, await numbers(last)], [HELD_MAX - 1, [HELD_MAX]])
    gate.hold(false)
    const again = gate.append(many)
    gate.release()
    equal((await again).length, HELD_MAX - 1)
  })

  it('passes on what the log says to what waited', async () => {
    gate.hold(false)
    const waiting = gate.append([gossip(1)])
    own.disk.isFull = true
    gate.release()
    await rejects(waiting, /no space left/)
  })

  it('that refuses does so with its reason for good, also what waited, and lets local events pass', async () => {
    gate.hold(false)
    const waiting = gate.append([gossip(1)])
    gate.refuse('it has forked')
    const refusal = { name: 'ServiceError', code: 'failed', message: 'it has forked' }
    await rejects(waiting, refusal)
    gate.hold(false)
    gate.release()
    await rejects(gate.append([local, gossip(1)]), refusal)
    await gate.append([local])
    equal(own.log.head, 1)
  })

  it('that closes lets nobody wait', async () => {
    gate.hold(true)
    const waiting = gate.append([gossip(1)])
    gate.close()
    await rejects(waiting, { code: 'LOG_CLOSED' })
    await rejects(gate.append([gossip(1)]), { code: 'failed', message: 'the node is stopping' })
    await gate.append([local])
    equal(own.log.head, 1)
  })

  it('that closes while it is open stays open: a goodbye may pass', async () => {
    gate.close()
    await gate.append([gossip(1)])
    gate.release()
    equal(own.log.head, 1)
  })
})
