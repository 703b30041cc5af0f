import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
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
})
