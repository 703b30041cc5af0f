import assert from 'node:assert/strict'
import type { Envelope, SignedEvent } from '../../../src/events/index.ts'
import { LogReader } from '../../../src/events/log/log-reader.ts'
import { LogState } from '../../../src/events/log/log-state.ts'
import type { LogStore, StoreRange } from '../../../src/events/log/log-store.ts'
import { signerOf } from '../samples.ts'

const [ada, bob] = [signerOf(1).id, signerOf(2).id]

/** A reader over a store that remembers what it was asked for, and answers with places. */
function scene(isClosing = Promise.resolve()) {
  const asked: (StoreRange | readonly number[])[] = []
  let closed = 0
  const store: LogStore = {
    write: () => assert.fail('a reader writes nothing'),
    async *batches(range) {
      asked.push(range)
      yield [{ seq: range.from }, { seq: range.to }] as unknown as Envelope[]
      yield [{ seq: 0 }] as unknown as Envelope[]
    },
    signedAt: async (seqs) => {
      asked.push([...seqs])
      return seqs.map((seq) => ({ body: Uint8Array.of(seq % 256), signature: new Uint8Array() }))
    },
    snapshot: async (projection) => [['row', projection]],
    arrivals: [{ seq: 1, at: 5 }],
    bytesOnDisk: async () => 77,
    close: async () => {
      closed++
      await isClosing
    },
  }
  const state = new LogState()
  state.advance(1_000, 44, [
    { author: ada, stream: 'gossip', authorSeq: 1, seq: 1, count: 600 },
    { author: bob, stream: 'index', authorSeq: 3, seq: 601, count: 400 },
  ])
  return { reader: new LogReader(ada, state, store), state, asked, closed: () => closed }
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('the reading half of a log', () => {
  it('tells what is there without reading', () => {
    const { reader, asked } = scene()
    assert.deepEqual([reader.author, reader.head, reader.lamport], [ada, 1_000, 44])
    assert.deepEqual(reader.held(), { events: 1_000, authors: 2 })
    assert.deepEqual([...reader.versionVector()], [[ada, 600]])
    assert.deepEqual(reader.arrivals, [{ seq: 1, at: 5 }])
    const id = { author: bob, stream: 'index', authorSeq: 3 } as const
    assert.deepEqual([reader.has(id), reader.seqOf(id)], [true, 601])
    const others = [
      { ...id, authorSeq: 2 },
      { ...id, stream: 'gossip' as const },
      { ...id, author: ada },
    ]
    assert.deepEqual(
      others.map((other) => [reader.has(other), reader.seqOf(other)]),
      [
        [false, undefined],
        [false, undefined],
        [false, undefined],
      ],
    )
    assert.deepEqual(asked, [])
  })

  it('reads inside the log, from its beginning and to its end where nothing else is asked', async () => {
    const { reader, asked } = scene()
    const ranges = [undefined, {}, { from: -5, to: 5_000 }, { from: 7, to: 9 }, { from: 5, kinds: ['node.started'] as const }]
    for (const range of ranges) assert.equal((await all(reader.read(range))).length, 3)
    assert.deepEqual(asked, [
      { from: 1, to: 1_000, kinds: undefined },
      { from: 1, to: 1_000, kinds: undefined },
      { from: 1, to: 1_000, kinds: undefined },
      { from: 7, to: 9, kinds: undefined },
      { from: 5, to: 1_000, kinds: ['node.started'] },
    ])
    assert.deepEqual(
      (await all(reader.readBatches({ from: 2 }))).map((batch) => batch.length),
      [2, 1],
    )
  })

  it('fetches the signed events of an author 256 at a time', async () => {
    const { reader, asked } = scene()
    const sizes = async (...range: readonly [number, number]): Promise<number[]> => {
      asked.length = 0
      const found = await all(reader.readSigned(ada, 'gossip', ...range))
      const calls = asked.map((seqs) => (seqs as readonly number[]).length)
      assert.equal(
        found.length,
        calls.reduce((sum, size) => sum + size, 0),
      )
      return calls
    }
    assert.deepEqual(await sizes(1, 9_999), [256, 256, 88])
    assert.deepEqual(
      asked.flat(),
      Array.from({ length: 600 }, (_, index) => index + 1),
    )
    assert.deepEqual(await sizes(1, 256), [256])
    assert.deepEqual(await sizes(10, 12), [3])
    assert.deepEqual(await sizes(601, 700), [])
    assert.deepEqual(await all(reader.readSigned(bob, 'gossip', 1, 9)), [])
    const [third] = await all<SignedEvent>(reader.readSigned(bob, 'index', 3, 3))
    assert.deepEqual(third?.body, Uint8Array.of(601 % 256))
  })

  it('refuses places outside the log', async () => {
    const { reader, asked } = scene()
    for (const outside of [0, -1, 1_001, 1.5, Number.NaN])
      await assert.rejects(reader.readSignedAt([1, outside]), {
        ...{ name: 'RangeError', message: `the log has events 1 to 1000, not ${outside}` },
      })
    assert.deepEqual(asked, [])
    assert.equal((await reader.readSignedAt([1_000, 1])).length, 2)
  })

  it('knows what was pruned of an author, from a number on', () => {
    const { reader, state } = scene()
    state.unplace([{ author: ada, stream: 'gossip', authorSeq: 10, count: 5 }])
    assert.deepEqual([...reader.pruned(ada, 'gossip', 1)], [{ from: 10, to: 14 }])
    assert.deepEqual([...reader.pruned(ada, 'gossip', 12)], [{ from: 12, to: 14 }])
    assert.deepEqual([...reader.pruned(ada, 'gossip', 15)], [])
    assert.deepEqual([...reader.pruned(bob, 'gossip', 1)], [])
  })

  it('asks its store for rows and bytes', async () => {
    const { reader } = scene()
    assert.deepEqual(await reader.snapshot('names'), [['row', 'names']])
    assert.equal(await reader.bytesOnDisk(), 77)
  })

  it('is closed once, and refuses to read from then on', async () => {
    const gate = Promise.withResolvers<void>()
    const { reader, closed, asked } = scene(gate.promise)
    const closing = [reader[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]
    let isClosed = false
    void closing[1]?.then(() => {
      isClosed = true
    })
    await new Promise<void>((done) => setImmediate(done))
    assert.deepEqual([closed(), isClosed], [1, false])
    const refused = { code: 'LOG_CLOSED' }
    assert.throws(() => reader.readBatches(), refused)
    assert.throws(() => reader.read(), refused)
    await assert.rejects(all(reader.readSigned(ada, 'gossip', 1, 9)), refused)
    for (const read of [() => reader.readSignedAt([1]), () => reader.bytesOnDisk(), () => reader.snapshot('names')])
      await assert.rejects(read, refused)
    assert.deepEqual(asked, [])
    assert.equal(reader.head, 1_000, 'what is known stays known')
    gate.resolve()
    await Promise.all(closing)
  })
})
