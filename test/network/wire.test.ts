import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type NodeId, TRAVELLING_BODY_BYTES_MAX, toHex } from '../../src/events/index.ts'
import { MESSAGE_BYTES_MAX } from '../../src/network/transport.ts'
import { decodeWire, EXCHANGE_BODY_BYTES_MAX, encodeWire, WIRE_ITEMS_MAX, type WireMessage } from '../../src/network/wire.ts'
import { ipv4s } from '../events/arbitraries.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const node = bytes(32).map((key) => toHex(key) as NodeId)
const count = fc.maxSafeNat()
const id = fc.nat({ max: 2 ** 32 - 1 })
const hops = fc.nat({ max: 255 })
const event = fc.record({ body: fc.uint8Array({ minLength: 1, maxLength: 200, size: 'max' }), signature: bytes(64) })
const incarnation = count
const belief = fc.constantFrom('unknown', 'alive', 'suspect', 'dead', 'left')

// The wire groups names by author, so one author stands together.
const names = fc
  .uniqueArray(fc.tuple(node, fc.array(fc.record({ authorSeq: count, hops }), { minLength: 1, maxLength: 5 })), {
    selector: ([author]) => author,
    maxLength: 4,
  })
  .map((groups) => groups.flatMap(([author, items]) => items.map((item) => ({ author, ...item }))))

const message = fc.oneof(
  fc.record({
    type: fc.constant('hello'),
    version: id,
    role: fc.constantFrom('bootstrap', 'index', 'client'),
    host: ipv4s,
    port: fc.integer({ min: 1, max: 65_535 }),
    dhtPort: fc.nat({ max: 65_535 }),
    software: fc.string({ maxLength: 100, size: 'max' }),
    transient: fc.boolean(),
    heard: fc.boolean(),
  }),
  fc.record({ type: fc.constant('push'), events: fc.array(fc.record({ event, hops }), { maxLength: 5 }) }),
  fc.record({ type: fc.constantFrom('have', 'graft'), names }),
  fc.record({ type: fc.constant('prune') }),
  fc.record({
    type: fc.constant('beacon'),
    root: node,
    client: fc.boolean(),
    distance: id,
    beat: count,
    parent: fc.boolean(),
  }),
  fc.record({ type: fc.constant('summary'), salt: id, buckets: bytes(384) }),
  fc.record({
    type: fc.constant('vector'),
    buckets: bytes(8),
    heads: fc.array(fc.record({ author: node, authorSeq: count }), { maxLength: 5 }),
    reply: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('fetch'),
    id,
    ranges: fc.array(
      fc.tuple(node, fc.integer({ min: 1, max: 2 ** 40 }), count).map(([author, from, more]) => ({
        author,
        from,
        to: Math.min(Number.MAX_SAFE_INTEGER, from + more),
      })),
      { maxLength: 5 },
    ),
  }),
  fc.record({ type: fc.constant('supply'), id, events: fc.array(event, { maxLength: 5 }), last: fc.boolean() }),
  fc.record({ type: fc.constant('ping'), seq: id, belief, incarnation }),
  fc.record({ type: fc.constant('pong'), seq: id }),
  fc.record({ type: fc.constant('nack'), seq: id }),
  fc.record({
    type: fc.constant('ping-request'),
    seq: id,
    target: node,
    belief,
    incarnation,
  }),
  fc.record({
    type: fc.constant('request'),
    id,
    method: fc.string({ maxLength: 60, size: 'max' }),
    body: fc.uint8Array({ maxLength: 200, size: 'max' }),
  }),
  fc.record({
    type: fc.constant('response'),
    id,
    status: fc.constantFrom('ok', 'refused', 'unknown-method', 'overloaded'),
    body: fc.uint8Array({ maxLength: 200, size: 'max' }),
  }),
  fc.record({ type: fc.constant('cancel'), id }),
) as fc.Arbitrary<WireMessage>

/** Byte fields as plain arrays, since views of buffers of different classes are not deeply equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
}

describe('wire', () => {
  it('refuses a hello whose address is none', () => {
    const hello = { type: 'hello', version: 1, role: 'index', software: '', transient: false, heard: false } as const
    const read = (host: string, port: number, dhtPort = 0) => decodeWire(encodeWire({ ...hello, host, port, dhtPort })).type
    for (const [host, port] of [
      ['', 0],
      ['10.0.0.1', 1],
      ['127.0.0.1', 65_535],
    ] as const)
      assert.equal(read(host, port), 'hello')
    for (const [host, port] of [
      ['victim.example', 53],
      ['::1', 53],
      ['0.0.0.0', 53],
      ['224.0.0.1', 53],
      ['10.0.0.01', 53],
      ['10.0.0.1', 0],
      ['10.0.0.1', 65_536],
      ['', 53],
    ] as const)
      assert.equal(read(host, port), 'rejected', `${host}:${port}`)
    assert.equal(read('10.0.0.1', 1, 65_536), 'rejected')
  })

  it('bounds texts in bytes of UTF-8', () => {
    const hello = {
      type: 'hello',
      version: 1,
      role: 'index',
      host: '',
      port: 0,
      dhtPort: 0,
      transient: false,
      heard: false,
    } as const
    const withSoftware = (software: string) => decodeWire(encodeWire({ ...hello, software })).type
    const withMethod = (method: string) =>
      decodeWire(encodeWire({ type: 'request', id: 1, method, body: new Uint8Array() })).type
    for (const [read, bytesMax] of [
      [withSoftware, 128],
      [withMethod, 64],
    ] as const) {
      assert.notEqual(read('x'.repeat(bytesMax)), 'rejected')
      assert.equal(read('x'.repeat(bytesMax + 1)), 'rejected')
      assert.notEqual(read('é'.repeat(bytesMax / 2)), 'rejected')
      assert.equal(read('é'.repeat(bytesMax / 2 + 1)), 'rejected')
    }
  })

  describe('bounds', () => {
    const author = toHex(new Uint8Array(32).fill(1)) as NodeId
    const typeOf = (sent: WireMessage) => decodeWire(encodeWire(sent)).type
    const times = <T>(length: number, of: (index: number) => T): T[] => Array.from({ length }, (_, index) => of(index))

    it(`names, heads and ranges of one message to ${WIRE_ITEMS_MAX}`, () => {
      const range = (index: number) => ({ author, from: index + 1, to: index + 1 })
      const sent = (length: number): WireMessage[] => [
        { type: 'have', names: times(length, (index) => ({ author, authorSeq: index, hops: 0 })) },
        { type: 'graft', names: times(length, (index) => ({ author, authorSeq: index, hops: 0 })) },
        {
          type: 'vector',
          buckets: new Uint8Array(8),
          heads: times(length, (authorSeq) => ({ author, authorSeq })),
          reply: false,
        },
        { type: 'fetch', id: 1, ranges: times(length, range) },
        { type: 'supply', id: 1, events: [], last: true, gone: times(length, range) },
      ]
      for (const most of sent(WIRE_ITEMS_MAX)) assert.equal(typeOf(most), most.type)
      for (const more of sent(WIRE_ITEMS_MAX + 1)) assert.equal(typeOf(more), 'rejected', more.type)
    })

    it('names to that number over all authors', () => {
      const other = toHex(new Uint8Array(32).fill(2)) as NodeId
      const names = (length: number) =>
        times(length, (authorSeq) => ({ author: authorSeq < 700 ? author : other, authorSeq, hops: 0 }))
      assert.equal(typeOf({ type: 'have', names: names(WIRE_ITEMS_MAX) }), 'have')
      assert.equal(typeOf({ type: 'have', names: names(WIRE_ITEMS_MAX + 1) }), 'rejected')
    })

    it('a range to numbers from 1 on, the last not below the first', () => {
      for (const [from, to, type] of [
        [1, 1, 'fetch'],
        [2, 2, 'fetch'],
        [0, 1, 'rejected'],
        [2, 1, 'rejected'],
      ] as const)
        assert.equal(typeOf({ type: 'fetch', id: 1, ranges: [{ author, from, to }] }), type, `${from} to ${to}`)
    })

    it('an event to a body that is none too long and not empty, and a signature of 64 bytes', () => {
      const signature = new Uint8Array(64)
      const push = (body: number, signed = signature): WireMessage => ({
        type: 'push',
        events: [{ event: { body: new Uint8Array(body), signature: signed }, hops: 0 }],
      })
      assert.deepEqual(
        [1, TRAVELLING_BODY_BYTES_MAX].map((length) => typeOf(push(length))),
        ['push', 'push'],
      )
      assert.deepEqual(
        [0, TRAVELLING_BODY_BYTES_MAX + 1].map((length) => typeOf(push(length))),
        ['rejected', 'rejected'],
      )
      assert.deepEqual(
        [63, 65].map((length) => typeOf(push(1, new Uint8Array(length)))),
        ['rejected', 'rejected'],
      )
    })

    it('keys, summaries and choices of buckets to their length', () => {
      for (const more of [-1, 1]) {
        const key = toHex(new Uint8Array(32 + more)) as NodeId
        for (const sent of [
          { type: 'beacon', root: key, client: false, distance: 0, beat: 0, parent: false },
          { type: 'have', names: [{ author: key, authorSeq: 1, hops: 0 }] },
          { type: 'ping-request', seq: 1, target: key, belief: 'dead', incarnation: 0 },
          { type: 'summary', salt: 1, buckets: new Uint8Array(384 + more) },
          { type: 'vector', buckets: new Uint8Array(8 + more), heads: [], reply: false },
        ] satisfies WireMessage[])
          assert.equal(typeOf(sent), 'rejected', `${sent.type} ${more}`)
      }
    })

    it('hops to 255, and takes beliefs and statuses of later versions for none', () => {
      const event = { body: Uint8Array.of(1), signature: new Uint8Array(64) }
      const read = decodeWire(encodeWire({ type: 'push', events: [{ event, hops: 256 }] }))
      assert.deepEqual(read.type === 'push' && read.events.map(({ hops }) => hops), [255])
      // Field 10 of a message is a ping, field 15 a response: 7 is its number, and 99 what is believed, or the status.
      const [ping, response] = [10, 15].map((field) => decodeWire(Uint8Array.of(field * 8 + 2, 4, 8, 7, 16, 99)))
      assert.deepEqual(ping, { type: 'ping', seq: 7, belief: 'unknown', incarnation: 0 })
      assert.equal(response?.type === 'response' && response.status, 'refused')
    })
  })

  it('reads a pong of before, which named an incarnation', () => {
    // Field 11 of a message: field 1 is 7, field 2 is 3.
    assert.deepEqual(decodeWire(Uint8Array.of(11 * 8 + 2, 4, 8, 7, 16, 3)), { type: 'pong', seq: 7 })
  })

  it('gives back every message that it encodes', () => {
    fc.assert(
      fc.property(message, (sent) => {
        assert.deepEqual(plain(decodeWire(encodeWire(sent))), plain(sent))
      }),
      { numRuns: 500 },
    )
  })

  it('answers random bytes with a message or a reason, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), (noise) => {
        assert.equal(typeof decodeWire(noise).type, 'string')
      }),
      { numRuns: 2_000 },
    )
  })

  it('answers a message with flipped, cut or added bytes, never an exception', () => {
    const mutation = fc.tuple(message, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('flip', 'cut', 'add'))
    fc.assert(
      fc.property(mutation, ([sent, place, value, how]) => {
        const encoded = [...encodeWire(sent)]
        const at = place % (encoded.length + 1)
        if (how === 'flip') encoded[Math.min(at, encoded.length - 1)] = value
        if (how === 'cut') encoded.length = at
        if (how === 'add') encoded.splice(at, 0, value)
        assert.equal(typeof decodeWire(Uint8Array.from(encoded)).type, 'string')
      }),
      { numRuns: 2_000 },
    )
  })

  it('calls a message of an unknown type unknown, so that newer versions can talk', () => {
    assert.deepEqual(decodeWire(Uint8Array.of(0xfa, 0x3f, 0)), { type: 'rejected', rejected: 'unknown' })
  })

  it('refuses a message over the limit both ways', () => {
    assert.deepEqual(decodeWire(new Uint8Array(MESSAGE_BYTES_MAX + 1)), { type: 'rejected', rejected: 'malformed' })
    const request = { type: 'request', id: 1, method: 'a', body: new Uint8Array(MESSAGE_BYTES_MAX) } as const
    assert.throws(() => encodeWire(request), RangeError)
    // Field 99, which nobody reads, of so many bytes: two of its number, three of its length.
    const padded = (length: number) => {
      const sound = encodeWire({ ...request, body: new Uint8Array(EXCHANGE_BODY_BYTES_MAX) })
      const rest = length - sound.length - 5
      return Uint8Array.from([
        ...sound,
        0x9a,
        0x06,
        (rest & 127) | 128,
        ((rest >> 7) & 127) | 128,
        rest >> 14,
        ...new Uint8Array(rest),
      ])
    }
    assert.equal(padded(MESSAGE_BYTES_MAX).length, MESSAGE_BYTES_MAX)
    assert.deepEqual(
      [MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1].map((length) => decodeWire(padded(length)).type),
      ['request', 'rejected'],
    )
    encodeWire({ ...request, body: new Uint8Array(EXCHANGE_BODY_BYTES_MAX) })
  })
})
