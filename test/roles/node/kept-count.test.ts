import { deepEqual, equal } from 'node:assert/strict'
import type { Budgets, Event, NodeId, Stream } from '../../../src/events/index.ts'
import { countKept } from '../../../src/roles/node/kept-count.ts'
import { hash } from '../../projections/envelopes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const published: Event = { kind: 'torrent.verified', infoHash: hash('orbit'), title: 'orbit' }
const judged: Event = { kind: 'piece.judged', subject: '1'.repeat(64) as NodeId, infoHash: hash('orbit'), good: [], bad: [] }
const stopped: Event = { kind: 'node.stopped', reason: 'x' }

describe('what is kept of others', () => {
  let own: SmallLog
  let eve: SmallLog
  let counted: { author: NodeId; stream: Stream; events: number; bytes: number }[]
  let stop: () => void
  beforeEach(async () => {
    own = await openSmallLog(1)
    eve = await openSmallLog(2)
    counted = []
  })
  afterEach(async () => {
    stop()
    await own[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
  })
  const begin = () => {
    const budgets: Pick<Budgets, 'add'> = {
      add: (author, stream, { events, bytes }) => void counted.push({ author, stream, events, bytes }),
    }
    stop = countKept(budgets as Budgets, own.log, own.states)
  }
  const payloads = async () => {
    const found: number[] = []
    for await (const { author, payloadBytes } of own.log.read()) if (author === eve.id) found.push(payloadBytes)
    return found
  }

  it('is counted at the start as the projection has it, by author and stream', async () => {
    await hears(own, eve, published, published, judged)
    await own.log.append([{ event: published }])
    begin()
    const [one = 0, two = 0, three = 0] = await payloads()
    const ofEve = counted.filter(({ author }) => author === eve.id)
    deepEqual(ofEve, [
      { author: eve.id, stream: 'gossip', events: 1, bytes: three },
      { author: eve.id, stream: 'index', events: 2, bytes: one + two },
    ])
    equal(
      counted.every(({ author }) => author === eve.id),
      true,
      'our own are nobody’s budget',
    )
  })

  it('is counted as it comes, and not what is ours, until that is stopped', async () => {
    begin()
    await own.log.append([{ event: published }, { event: stopped }, { event: judged }])
    deepEqual(counted, [])
    await hears(own, eve, published, judged)
    const [index = 0, gossip = 0] = await payloads()
    deepEqual(counted, [
      { author: eve.id, stream: 'index', events: 1, bytes: index },
      { author: eve.id, stream: 'gossip', events: 1, bytes: gossip },
    ])
    stop()
    await hears(own, eve, judged)
    equal(counted.length, 2)
  })
})
