import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { BUNDLE_MAGIC_BYTES, isBundle } from '../../../src/events/codec/bundle.ts'
import {
  BundleError,
  BundleReader,
  encodeBundleEnd,
  encodeBundleEvent,
  encodeBundleHeader,
  type SignedEvent,
} from '../../../src/events/index.ts'
import { foreign, signerOf } from '../samples.ts'
import { TEST_GENESIS } from '../test-network.ts'

const author = signerOf(1).id
const EVENTS = Array.from({ length: 40 }, (_, index) => foreign(signerOf(1), index + 1, index + 1))

function bundleOf(events: readonly SignedEvent[], count = events.length): Uint8Array {
  const parts = [
    encodeBundleHeader({ author, head: 40, at: 7, genesis: TEST_GENESIS }),
    ...events.map(encodeBundleEvent),
    encodeBundleEnd(count),
  ]
  const whole = Buffer.concat(parts)
  return Buffer.concat([whole, createHash('sha256').update(whole).digest()])
}

function read(bytes: Uint8Array, pieceBytes: number) {
  const reader = new BundleReader(createHash('sha256'))
  const events: SignedEvent[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) events.push(...reader.push(bytes.subarray(at, at + pieceBytes)))
  reader.end()
  return { header: reader.header, events }
}

describe('a bundle', () => {
  it('gives back its events, in whatever pieces it is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9_000 }), (count, pieceBytes) => {
        const events = EVENTS.slice(0, count)
        const { header, events: found } = read(bundleOf(events), pieceBytes)
        assert.deepEqual(header, { format: 1, author, head: 40, at: 7, genesis: new Uint8Array(TEST_GENESIS) })
        assert.equal(found.length, count)
        for (const [index, { body, signature }] of found.entries()) {
          assert.ok(Buffer.from(body).equals(events[index]?.body ?? assert.fail()))
          assert.ok(Buffer.from(signature).equals(events[index]?.signature ?? assert.fail()))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('that was altered or cut anywhere is refused', () => {
    const whole = bundleOf(EVENTS)
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 5_000 }),
        (at, mask, pieceBytes) => {
          const altered = Buffer.from(whole)
          altered[at] = (altered[at] ?? 0) ^ mask
          assert.throws(() => read(altered, pieceBytes), BundleError)
          assert.throws(() => read(whole.subarray(0, at), pieceBytes), BundleError)
        },
      ),
    )
  })

  it('with another count, something behind its end, or a newer format is refused', () => {
    assert.throws(() => read(bundleOf(EVENTS, 39), 4096), /has 40 events, not 39/)
    assert.throws(() => read(Buffer.concat([bundleOf(EVENTS), Buffer.from('x')]), 64), /behind the end/)
    const newer = Buffer.from(bundleOf([])).toString('latin1').replace('"format":1', '"format":2')
    assert.throws(() => read(Buffer.from(newer, 'latin1'), 4096), /format 2, this version reads up to 1/)
  })

  it('has each number in one form, and a header up to its bound', () => {
    const begin = [...new TextEncoder().encode('p2pt log\n')]
    const push = (...bytes: number[]) => new BundleReader(createHash('sha256')).push(Uint8Array.from([...begin, ...bytes]))
    assert.deepEqual(push(128, 128, 4), [], 'a header of 64 KiB is waited for')
    assert.throws(() => push(129, 128, 4), BundleError, 'one byte more')
    assert.throws(() => push(133, 0), BundleError, '5 in two bytes')
    assert.throws(() => push(...Array(10).fill(128)), BundleError, 'a number without an end')
  })

  const withHeader = (json: string): Uint8Array => {
    const length = Buffer.byteLength(json)
    const varint = length < 128 ? [length] : [(length & 127) | 128, length >> 7]
    const whole = Buffer.concat([Buffer.from('p2pt log\n'), Uint8Array.from(varint), Buffer.from(json), encodeBundleEnd(0)])
    return Buffer.concat([whole, createHash('sha256').update(whole).digest()])
  }
  const header = { format: 1, author, head: 40, at: 7, genesis: 'ab' }
  const refusal = (message: string) => ({ name: 'BundleError', message })

  it('has a header that names its node and its network', () => {
    assert.deepEqual(read(withHeader(JSON.stringify(header)), 10).header, { ...header, genesis: Uint8Array.of(171) })
    for (const wrong of [
      { author: undefined },
      { author: 5 },
      { author: 'd'.repeat(63) },
      { format: '1' },
      { format: undefined },
    ])
      assert.throws(
        () => read(withHeader(JSON.stringify({ ...header, ...wrong })), 10),
        refusal('the bundle is damaged: its header names no node'),
      )
    const genesis = ['', 'a', 'abc', 'AB', 'abx', 'xab', 'ab'.repeat(257), 5]
    for (const wrong of [{ head: '40' }, { at: '7' }, { at: undefined }, ...genesis.map((value) => ({ genesis: value }))])
      assert.throws(
        () => read(withHeader(JSON.stringify({ ...header, ...wrong })), 10),
        refusal('the bundle is damaged: its header names no network'),
      )
    assert.equal(read(withHeader(JSON.stringify({ ...header, genesis: 'ab'.repeat(256) })), 10).header?.genesis.length, 256)
  })

  it('has a header of JSON, or says that it cannot be read, with the cause', () => {
    assert.throws(() => read(withHeader('null'), 10), refusal('the bundle is damaged: its header names no node'))
    assert.throws(
      () => read(withHeader('{'), 10),
      (error: Error) =>
        error.message === 'the bundle is damaged: its header cannot be read' && error.cause instanceof SyntaxError,
    )
  })

  it('begins with its magic, of which nothing is said before all of it is there', () => {
    const magic = Buffer.from('p2pt log\n')
    const reader = () => new BundleReader(createHash('sha256'))
    assert.deepEqual(reader().push(Buffer.from('no bundl')), [])
    assert.throws(() => reader().push(Buffer.from('no bundle')), refusal('not a bundle'))
    assert.throws(() => reader().push(Buffer.from('p2pt lag\n')), refusal('not a bundle'))
    assert.equal(BUNDLE_MAGIC_BYTES, magic.length)
    assert.equal(isBundle(Buffer.concat([magic, Buffer.from('x')])), true)
    assert.equal(isBundle(Buffer.from('p2pt lox\n')), false)
    assert.equal(isBundle(magic.subarray(0, 8)), false)
  })

  it('says how it is damaged', () => {
    const whole = bundleOf(EVENTS)
    assert.throws(() => read(whole.subarray(0, -1), 64), refusal('the bundle is cut off'))
    assert.throws(() => read(new Uint8Array(), 64), refusal('the bundle is cut off'))
    const last = whole.length - 1
    assert.throws(
      () => read(Uint8Array.from(whole).with(last, (whole[last] ?? 0) ^ 1), 64),
      refusal('the bundle is damaged: its checksum is another'),
    )
    const begin = whole.subarray(0, encodeBundleHeader({ author, head: 40, at: 7, genesis: TEST_GENESIS }).length)
    const push = (...bytes: number[]) =>
      new BundleReader(createHash('sha256')).push(Buffer.concat([begin, Uint8Array.from(bytes)]))
    // The length of a body: 6 MiB, and one more.
    assert.deepEqual(push(128, 128, 128, 3), [])
    assert.throws(() => push(129, 128, 128, 3), refusal('the bundle is damaged: a number is out of range'))
    assert.throws(() => push(...Array(10).fill(128)), refusal('the bundle is damaged: a number is too long'))
    assert.deepEqual(push(...Array(9).fill(128)), [], 'it may be nine bytes of a number still')
  })

  it('gives an event with its last byte and not before', () => {
    const whole = bundleOf(EVENTS.slice(0, 1))
    const reader = new BundleReader(createHash('sha256'))
    const counts = [...whole].map((byte) => reader.push(Uint8Array.of(byte)).length)
    // Behind it: the zero, the count, and the checksum.
    assert.deepEqual(
      counts.flatMap((count, index) => (count > 0 ? [index] : [])),
      [whole.length - 2 - 32 - 1],
    )
  })
})
