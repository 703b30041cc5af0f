import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  envelopeOf,
  isWellFormed,
  kindOfBody,
  readableEvent,
  TRAVELLING_BODY_BYTES_MAX,
} from '../../../src/events/codec/body.ts'
import { BodyScan } from '../../../src/events/codec/body-scan.ts'
import {
  type AddressId,
  ALL_KINDS,
  BODY_BYTES_MAX,
  BodyError,
  eventOf,
  KINDS,
  type Millis,
  PayloadError,
  type ScannedBody,
  type Stream,
  scanBody,
  signEvent,
  upcaster,
} from '../../../src/events/index.ts'
import type { Lamport } from '../../../src/events/model/ids.ts'
import { eventOfKind } from '../arbitraries.ts'
import { noUpcast, randomSigner } from '../samples.ts'
import { verifySignature } from '../test-network.ts'

const signer = randomSigner()
const streams = fc.constantFrom<Stream>('local', 'gossip', 'index')
const stamps = fc.record({
  lamport: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) as unknown as fc.Arbitrary<Lamport>,
  authorSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  at: fc.nat(Number.MAX_SAFE_INTEGER) as unknown as fc.Arbitrary<Millis>,
})

describe('an event body', () => {
  for (const kind of ALL_KINDS) {
    it(`gives back any ${kind} as it went in`, () => {
      fc.assert(
        fc.property(eventOfKind(kind), streams, stamps, (event, stream, stamp) => {
          const { body } = signEvent({ stream, event }, stamp, signer)
          const scanned = scanBody(body)
          assert.deepEqual(eventOf(scanned, noUpcast), event)
          const { payload: _, ...header } = scanned
          const { number, version } = KINDS[kind]
          assert.deepEqual(header, { version, kind: number, author: signer.id, stream, ...stamp })
        }),
        { numRuns: 50 },
      )
    })
  }

  it('is what the schema in proto/ says', async () => {
    // After the module that sets plain 64 bit numbers.
    const { p2pt } = await import('../../../src/events/generated/events.js')
    fc.assert(
      fc.property(fc.constantFrom(...ALL_KINDS).chain(eventOfKind), streams, stamps, (event, stream, stamp) => {
        const { body } = signEvent({ stream, event }, stamp, signer)
        const scanned = scanBody(body)
        const decoded = p2pt.events.Body.decode(body)
        assert.deepEqual([decoded.version, decoded.kind, decoded.lamport, decoded.authorSeq, decoded.at].map(Number), [
          scanned.version,
          scanned.kind,
          scanned.lamport,
          scanned.authorSeq,
          scanned.at,
        ])
        assert.equal(Buffer.from(decoded.author ?? []).toString('hex'), scanned.author)
        assert.deepEqual([...(decoded.payload ?? [])], [...scanned.payload])
      }),
    )
  })

  it('is signed over its exact bytes: any other bit makes the signature wrong', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (place, bit) => {
        const { body, signature } = signEvent(
          { stream: 'gossip', event: { kind: 'node.stopped', reason: 'x' } },
          { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis },
          signer,
        )
        assert.equal(verifySignature('event', body, signature, signer.id), true)
        const changed = body.slice()
        const at = place % body.length
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        assert.equal(verifySignature('event', changed, signature, signer.id), false)
      }),
      { numRuns: 50 },
    )
  })

  const body = (fields: readonly (readonly number[])[]): Uint8Array => new Uint8Array(fields.flat())
  const author = [34, 32, ...Array(32).fill(9)]
  const good: readonly (readonly number[])[] = [[8, 1], [16, 2], [24, 5], author, [40, 2], [48, 7], [56, 0], [66, 0]]

  it('has every field once and in order, or two readers could read two events', () => {
    assert.equal(scanBody(body(good)).authorSeq, 7)
    for (let index = 0; index < good.length; index++) {
      const without = good.filter((_, other) => other !== index)
      assert.throws(() => scanBody(body(without)), BodyError, `without field ${index}`)
      assert.throws(() => scanBody(body([...good, good[index] ?? []])), BodyError, `field ${index} twice`)
      assert.throws(() => scanBody(body([...without, good[index] ?? []])), BodyError, `field ${index} at the end`)
      if (index === 6) break
    }
  })

  it('may have fields of a later version behind its payload', () => {
    assert.equal(scanBody(body([...good, [72, 1], [82, 2, 1, 1]])).authorSeq, 7)
    assert.throws(() => scanBody(body([...good, [82, 9, 1]])), BodyError)
    assert.throws(() => scanBody(body([...good, [75]])), BodyError)
  })

  it('refuses numbers out of their range', () => {
    const long = [255, 255, 255, 255, 255, 255, 255, 255, 127]
    for (const [index, field] of [
      [0, [8, 0]],
      [1, [16, 0]],
      [4, [40, 0]],
      [4, [40, 4]],
      [5, [48, 0]],
      [5, [48, ...long]],
      [6, [56, ...long]],
    ] as const) {
      assert.throws(() => scanBody(body(good.with(index, field))), BodyError)
    }
    // For the clock to refuse, which says more about the sender than "malformed".
    assert.ok(scanBody(body(good.with(2, [24, ...long]))).lamport > Number.MAX_SAFE_INTEGER)
  })

  it('answers random and damaged bytes with an event or one of two errors', () => {
    const read = (bytes: Uint8Array): void => {
      let scanned: ScannedBody
      try {
        scanned = scanBody(bytes)
        eventOf(scanned, noUpcast)
      } catch (error) {
        assert.ok(error instanceof BodyError || error instanceof PayloadError, String(error))
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), read), { numRuns: 300 })
    fc.assert(
      fc.property(fc.constantFrom(...ALL_KINDS).chain(eventOfKind), fc.nat(), fc.nat(255), (event, place, value) => {
        const { body: whole } = signEvent(
          { stream: 'local', event },
          { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis },
          signer,
        )
        const changed = whole.slice()
        changed[place % whole.length] = value
        read(changed)
        read(whole.slice(0, place % whole.length))
      }),
      { numRuns: 500 },
    )
  })

  it('has one payload: a second one under the same signature is refused', () => {
    assert.throws(() => scanBody(body([...good, [66, 0]])), BodyError)
    assert.throws(() => scanBody(body([...good, [66, 1, 5]])), BodyError)
  })

  it('is as long as the bound and no longer, in the plain form and in any other', () => {
    const begin = good.slice(0, 7).flat()
    const other = good.slice(0, 7).with(0, [8, 129, 0]).flat()
    for (const fields of [begin, other]) {
      const whole = (bytes: number): Uint8Array => {
        const length = bytes - fields.length - 5
        const varint = [(length & 127) | 128, ((length >> 7) & 127) | 128, ((length >> 14) & 127) | 128, length >> 21]
        const result = new Uint8Array(bytes)
        result.set([...fields, 66, ...varint])
        return result
      }
      assert.equal(scanBody(whole(BODY_BYTES_MAX)).authorSeq, 7)
      assert.throws(() => scanBody(whole(BODY_BYTES_MAX + 1)), BodyError)
    }
  })

  it('is signed up to the length that peers take, and one byte more stays on the node alone', () => {
    const stamp = { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis }
    const sign = (stream: Stream, bytes: number) =>
      signEvent({ stream, event: { kind: 'unknown', number: 999, payload: new Uint8Array(bytes) } }, stamp, signer).body.length
    const overhead = sign('local', 40_000) - 40_000
    const most = TRAVELLING_BODY_BYTES_MAX - overhead
    for (const stream of ['gossip', 'index'] as const) {
      assert.equal(sign(stream, most), TRAVELLING_BODY_BYTES_MAX)
      assert.throws(() => sign(stream, most + 1), BodyError)
    }
    assert.equal(sign('local', most + 1), TRAVELLING_BODY_BYTES_MAX + 1)
  })

  it('of a later version is kept as bytes of its own, whatever becomes of the buffer that it was read from', () => {
    const buffer = new Uint8Array([1, 2, 3])
    const event = readableEvent({ kind: KINDS['node.stopped'].number, version: 99, payload: buffer }, upcaster([]))
    buffer.fill(9)
    assert.deepEqual(event, { kind: 'unknown', number: KINDS['node.stopped'].number, payload: new Uint8Array([1, 2, 3]) })
  })

  it('that is too long says how long it is', () => {
    const event = { kind: 'unknown' as const, number: 999, payload: new Uint8Array(TRAVELLING_BODY_BYTES_MAX) }
    const stamp = { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis }
    assert.throws(
      () => signEvent({ stream: 'gossip', event }, stamp, signer),
      /an event of 49\d{3} bytes is over the limit of 49152/,
    )
  })

  it('names its author also where another one was named before', () => {
    const event = { kind: 'node.stopped', reason: '' } as const
    const stamp = { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis }
    for (const each of [signer, randomSigner(), signer])
      assert.equal(scanBody(signEvent({ stream: 'local', event }, stamp, each).body).author, each.id)
  })

  it('tells its kind alone, of one byte or of more', () => {
    for (const version of [1, 127, 128])
      for (const kind of [1, 127, 128, 300]) {
        const varint = (value: number) => (value < 128 ? [value] : [(value & 127) | 128, value >> 7])
        const whole = body(good.with(0, [8, ...varint(version)]).with(1, [16, ...varint(kind)]))
        const framed = Uint8Array.from([1, 2, 3, 4, 5, ...whole, 6])
        assert.equal(kindOfBody(framed, 5, 5 + whole.length), kind)
      }
  })

  const stopped = KINDS['node.stopped']
  const wrong = Uint8Array.of(255)

  it('is well formed by the rules of its kind, which are asked of the present version alone', () => {
    const { number: kind, version } = stopped
    assert.equal(isWellFormed({ kind, version, payload: new Uint8Array() }), true)
    assert.equal(isWellFormed({ kind, version, payload: wrong }), false)
    assert.equal(isWellFormed({ kind, version: version + 1, payload: wrong }), true)
    assert.equal(isWellFormed({ kind: 9_999, version: 1, payload: wrong }), true)
  })

  it('with a payload that breaks a rule is not read', () => {
    const scanned = { kind: stopped.number, version: stopped.version, payload: wrong }
    assert.throws(() => readableEvent(scanned, upcaster([])), { name: 'PayloadError', message: 'not a node.stopped message' })
  })

  it('is read at its place in a log, of the present version and of a later one', () => {
    const scan = new BodyScan()
    const payload = [66, 3, 10, 1, 120]
    const at = (version: number) => {
      const bytes = body(good.with(0, [8, version]).with(1, [16, stopped.number]).with(7, payload))
      scan.read(bytes, 0, bytes.length)
      return envelopeOf(scan, bytes, 12, upcaster([]))
    }
    const header = {
      ...{ seq: 12, kind: stopped.number, lamport: 5, author: '09'.repeat(32), stream: 'gossip' },
      ...{ authorSeq: 7, at: 0, payloadBytes: 3 },
    }
    assert.deepEqual(at(stopped.version), { ...header, version: stopped.version, event: { kind: 'node.stopped', reason: 'x' } })
    const later = { kind: 'unknown', number: stopped.number, payload: Uint8Array.of(10, 1, 120) }
    assert.deepEqual(at(99), { ...header, version: 99, event: later })
  })

  it('of a node that was told an address which may not travel is refused as it arrives and read in a log', () => {
    const scan = new BodyScan()
    const event = { kind: 'operator.banned' as const, subject: 'ip:nowhere' as AddressId, reason: '' }
    const { body: bytes } = signEvent(
      { stream: 'local', event },
      { lamport: 1 as Lamport, authorSeq: 1, at: 1 as Millis },
      signer,
    )
    scan.read(bytes, 0, bytes.length)
    assert.throws(() => envelopeOf(scan, bytes, 1, upcaster([])), PayloadError)
    assert.deepEqual(envelopeOf(scan, bytes, 1, upcaster([]), 'stored').event, event)
  })
})
