import assert from 'node:assert/strict'
import type { Event, NodeId, SignedEvent } from '../../src/events/index.ts'
import { PUSH_BYTES_MAX } from '../../src/network/gossip/broadcast-tree.ts'
import { Supplier } from '../../src/network/supplier.ts'
import { encodeWire, type GossipMessage, WIRE_ITEMS_MAX } from '../../src/network/wire.ts'
import { authorOf, eventOf, peerOf } from './gossip/gossip-at-the-door.ts'

const [NEAR, FAR] = [peerOf(1), peerOf(2)]
const [AUTHOR, OTHER] = [authorOf(1), authorOf(2)]
/** Bytes in answer to one fetch; fetches of one peer that wait. */
const SUPPLY_BYTES_MAX = 2 ** 20
const WAITING_MAX = 4
/** What an event costs in a message beside its body. */
const FRAME_BYTES = 64 + 16

type Supply = Extract<GossipMessage, { type: 'supply' }>

/** An event of so many bytes, its frame included. */
function sized(author: NodeId, authorSeq: number, bytes: number): SignedEvent {
  const of = (payload: number) => {
    const event: Event = { kind: 'unknown', number: 999, payload: new Uint8Array(payload).fill(1) }
    return eventOf(author, authorSeq, { lamport: 1, event })
  }
  const { body } = of(bytes - 400)
  const event = of(bytes - 400 + bytes - FRAME_BYTES - body.length)
  assert.equal(event.body.length + FRAME_BYTES, bytes)
  return event
}

describe('supplier', () => {
  let sent: { to: NodeId; message: Supply }[]
  let read: [author: NodeId, from: number, to: number][]
  let stored: Map<NodeId, readonly SignedEvent[]>
  let gone: Map<NodeId, { from: number; to: number }[]>
  let fault: Error | undefined
  /** Reading waits for this. */
  let gate: Promise<void>
  let takes: (message: Supply) => boolean
  let supplier: Supplier
  beforeEach(() => {
    ;[sent, read, stored, gone, fault, gate, takes] = [[], [], new Map(), new Map(), undefined, Promise.resolve(), () => true]
    supplier = new Supplier(
      {
        async *readSigned(author, stream, from, to) {
          assert.equal(stream, 'gossip')
          read.push([author, from, to])
          await gate
          if (fault !== undefined) throw fault
          for (const [index, event] of (stored.get(author) ?? []).entries()) if (index + 1 >= from && index < to) yield event
        },
        pruned: (author, stream, from) => {
          assert.equal(stream, 'gossip')
          return (gone.get(author) ?? []).filter(({ to }) => to >= from)
        },
      },
      (to, message) => {
        assert.ok(message.type === 'supply')
        encodeWire(message)
        sent.push({ to, message })
        return takes(message)
      },
    )
  })
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const range = (author: NodeId, from: number, to: number) => ({ author, from, to })
  const eventsIn = (): number[] => sent.map(({ message }) => message.events.length)
  const many = (count: number, bytes: number, author = AUTHOR) =>
    stored.set(
      author,
      Array.from({ length: count }, (_, index) => sized(author, index + 1, bytes)),
    )

  it('answers a fetch with the events of its ranges, the last message marked', async () => {
    stored.set(
      AUTHOR,
      [1, 2, 3].map((seq) => eventOf(AUTHOR, seq)),
    )
    stored.set(OTHER, [eventOf(OTHER, 1)])
    supplier.order(NEAR, { id: 7, ranges: [range(AUTHOR, 2, 3), range(OTHER, 1, 9)] })
    await settled()
    const events = [eventOf(AUTHOR, 2), eventOf(AUTHOR, 3), eventOf(OTHER, 1)]
    assert.deepEqual(sent, [{ to: NEAR, message: { type: 'supply', id: 7, events, last: true } }])
    assert.equal(supplier.supplied, 3)
  })

  it('answers with an empty last message where it has nothing', async () => {
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 5)] })
    await settled()
    assert.deepEqual(sent, [{ to: NEAR, message: { type: 'supply', id: 1, events: [], last: true } }])
  })

  it('fills each message as far as it goes, and goes on in the next', async () => {
    const bytes = PUSH_BYTES_MAX / 4
    many(9, bytes)
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 9)] })
    await settled()
    assert.deepEqual(eventsIn(), [4, 4, 1])
    assert.deepEqual(
      sent.map(({ message }) => message.last),
      [false, false, true],
    )
    many(8, bytes + 1)
    supplier.order(NEAR, { id: 2, ranges: [range(AUTHOR, 1, 8)] })
    await settled()
    assert.deepEqual(eventsIn().slice(3), [3, 3, 2])
    assert.equal(supplier.supplied, 17)
  })

  it('reads no more than a mebibyte for one fetch, however much is asked for', async () => {
    const bytes = 2 ** 14
    const count = SUPPLY_BYTES_MAX / bytes
    many(count + 5, bytes)
    many(3, bytes, OTHER)
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, count + 5), range(OTHER, 1, 3)] })
    await settled()
    assert.equal(supplier.supplied, count)
    assert.deepEqual(read, [[AUTHOR, 1, count + 5]])
    assert.equal(sent.at(-1)?.message.last, true)
    many(count - 1, bytes)
    supplier.order(NEAR, { id: 2, ranges: [range(AUTHOR, 1, count), range(OTHER, 1, 3)] })
    await settled()
    assert.equal(supplier.supplied, 2 * count, 'the last byte is used')
  })

  it('does not hand on what is in the log and would be held against it now', async () => {
    const bad: Event = {
      ...{ kind: 'member.left', subject: AUTHOR, incarnation: 1, role: 'index', host: 'a.example', port: 1, dhtPort: 0 },
    }
    stored.set(AUTHOR, [eventOf(AUTHOR, 1), eventOf(AUTHOR, 2, { event: bad }), eventOf(AUTHOR, 3)])
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 3)] })
    await settled()
    assert.deepEqual(sent[0]?.message.events, [eventOf(AUTHOR, 1), eventOf(AUTHOR, 3)])
  })

  it('tells what of the ranges is pruned here, in a message without events, the last', async () => {
    stored.set(AUTHOR, [eventOf(AUTHOR, 1)])
    gone.set(AUTHOR, [
      { from: 2, to: 4 },
      { from: 6, to: 9 },
      { from: 11, to: 12 },
    ])
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 9), range(OTHER, 1, 2)] })
    await settled()
    assert.deepEqual(
      sent.map(({ message: { events, last, gone: told } }) => [events.length, last, told]),
      [
        [1, false, undefined],
        [0, true, [range(AUTHOR, 2, 4), range(AUTHOR, 6, 9)]],
      ],
    )
    supplier.order(NEAR, { id: 2, ranges: [range(AUTHOR, 11, 11)] })
    await settled()
    assert.deepEqual(
      sent.slice(2).map(({ message: { last, gone: told } }) => [last, told]),
      [[true, [range(AUTHOR, 11, 12)]]],
    )
  })

  it(`tells of ${WIRE_ITEMS_MAX} pruned ranges at most`, async () => {
    gone.set(
      AUTHOR,
      Array.from({ length: WIRE_ITEMS_MAX + 1 }, (_, index) => ({ from: 2 * index + 1, to: 2 * index + 1 })),
    )
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 10_000)] })
    await settled()
    assert.equal(sent[0]?.message.gone?.length, WIRE_ITEMS_MAX)
  })

  it('stops reading for a peer that takes nothing any more', async () => {
    many(9, PUSH_BYTES_MAX / 4)
    takes = () => false
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 9), range(OTHER, 1, 1)] })
    await settled()
    assert.deepEqual([eventsIn(), read.length], [[4], 1])
    gone.set(AUTHOR, [{ from: 9, to: 9 }])
    supplier.order(NEAR, { id: 2, ranges: [range(AUTHOR, 8, 9)] })
    await settled()
    assert.deepEqual(eventsIn().slice(1), [2], 'nor is what is gone told to it')
  })

  it(`answers one fetch of a peer after the other, ${WAITING_MAX} wait, and others wait for nobody`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    for (let id = 1; id <= WAITING_MAX + 2; id++) supplier.order(NEAR, { id, ranges: [range(AUTHOR, id, id)] })
    supplier.order(FAR, { id: 9, ranges: [range(OTHER, 1, 1)] })
    await settled()
    assert.deepEqual(read, [
      [AUTHOR, 1, 1],
      [OTHER, 1, 1],
    ])
    resolve()
    await settled()
    const answered = (to: NodeId) => sent.flatMap((each) => (each.to === to ? [each.message.id] : []))
    assert.deepEqual([answered(NEAR), answered(FAR)], [[1, 2, 3, 4, 5], [9]])
    supplier.order(NEAR, { id: 10, ranges: [range(AUTHOR, 1, 1)] })
    await settled()
    assert.equal(answered(NEAR).at(-1), 10)
  })

  it('answers nothing while the log cannot be read, and the next fetch again', async () => {
    fault = new Error('closed')
    supplier.order(NEAR, { id: 1, ranges: [range(AUTHOR, 1, 1)] })
    supplier.order(NEAR, { id: 2, ranges: [range(AUTHOR, 1, 1)] })
    await settled()
    assert.equal(sent.length, 0)
    fault = undefined
    supplier.order(NEAR, { id: 3, ranges: [range(AUTHOR, 1, 1)] })
    await settled()
    assert.deepEqual(
      sent.map(({ message }) => message.id),
      [3],
    )
  })
})
