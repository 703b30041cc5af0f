import assert from 'node:assert/strict'
import fc from 'fast-check'
import { eventNames, type FoundEvents, findEvents, tornFrame } from '../../../src/events/damage/found-events.ts'
import { summaryOfFrames } from '../../../src/events/damage/verify-log.ts'
import type { SignedEvent } from '../../../src/events/index.ts'
import { framesOf, signedEventsOf } from '../../../src/events/segments/segment.ts'
import { verifySignature } from '../test-network.ts'
import { BOB, EVE, gossip, ME, secret, segmentOf } from './segments-scene.ts'

const isSigned = ({ body, signature }: SignedEvent, author: typeof ME.id): boolean =>
  verifySignature('event', body, signature, author)
const bytesOf = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))
const raw = ({ body, signature }: SignedEvent): Uint8Array => bytesOf(body, signature)

const segment = segmentOf(
  { first: 1, count: 10, after: new Uint8Array(32) },
  [...gossip(BOB, 4, 3), secret(ME, 7)],
  gossip(EVE, 1, 1),
)
const names = [...eventNames(segment.summary)]
const wanted = new Set(names.map(([name]) => name))

function found(bytes: Uint8Array, of: ReadonlySet<string> = wanted, known: FoundEvents = new Map()): string[] {
  findEvents(bytes, of, isSigned, known)
  return [...known.keys()]
}

describe('single events in bytes', () => {
  it('have names, each with its place', () => {
    assert.deepEqual(names, [
      [`gossip/${BOB.id}/4`, 11],
      [`gossip/${BOB.id}/5`, 12],
      [`gossip/${BOB.id}/6`, 13],
      [`local/${ME.id}/7`, 14],
      [`gossip/${EVE.id}/1`, 15],
    ])
  })

  it('are found wherever they begin, with whatever stands around them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 40, size: 'max' }), fc.nat(4)), { maxLength: 8, size: 'max' }),
        fc.uint8Array({ maxLength: 100, size: 'max' }),
        (parts, end) => {
          const bytes = bytesOf(...parts.flatMap(([noise, index]) => [noise, raw(segment.events[index] as SignedEvent)]), end)
          const expected = new Set(parts.map(([, index]) => names[index]?.[0]))
          assert.deepEqual(new Set(found(bytes)), expected)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('are those that are wanted, and that their authors signed', () => {
    const [one, two] = segment.events as [SignedEvent, SignedEvent]
    assert.deepEqual(found(raw(one), new Set([names[1]?.[0] ?? ''])), [])
    assert.deepEqual(found(bytesOf(two.body, one.signature)), [])
    assert.deepEqual(
      found(bytesOf(two.body, one.signature, raw(two))),
      [names[1]?.[0]],
      'one that is forged hides none behind it',
    )
    for (const length of [0, 1, 10, one.body.length, one.body.length + 63])
      assert.deepEqual(found(raw(one).slice(0, length)), [], `${length}`)
    for (let at = 0; at < raw(one).length; at += 7)
      assert.deepEqual(found(raw(one).with(at, (raw(one)[at] ?? 0) ^ 2)), [], `${at}`)
  })

  it('are checked once each', () => {
    const [one] = segment.events as [SignedEvent]
    let checked = 0
    const known: FoundEvents = new Map()
    const counted = (event: SignedEvent, author: typeof ME.id): boolean => {
      checked++
      return isSigned(event, author)
    }
    findEvents(bytesOf(raw(one), raw(one), raw(one)), wanted, counted, known)
    assert.deepEqual([checked, known.size], [1, 1])
  })

  it('are kept as copies, as they stand in a frame', () => {
    const bytes = raw(segment.events[0] as SignedEvent)
    const known: FoundEvents = new Map()
    findEvents(bytes, wanted, isSigned, known)
    const before = bytes.slice()
    bytes.fill(0)
    const [event] = known.values()
    assert.deepEqual(event?.slice(-before.length), before)
    assert.equal(event?.length, before.length + 1, 'its length in front')
  })
})

describe('a frame with what is left of a segment', () => {
  const known: FoundEvents = new Map()
  findEvents(bytesOf(...segment.events.map(raw)), wanted, isSigned, known)

  it('has every place, with the events that were found at theirs', () => {
    const some: FoundEvents = new Map([...known].filter((_, index) => index === 1 || index === 4))
    const frame = tornFrame(segment.summary, some) ?? assert.fail()
    assert.deepEqual(framesOf(frame, 0, 11), [{ start: 0, end: frame.length, first: 11, count: 5 }])
    const left = [...signedEventsOf(frame, 0, 11)]
    assert.deepEqual(
      left.map(({ seq }) => seq),
      [12, 15],
    )
    assert.deepEqual(
      left.map(({ body, signature }) => raw({ body, signature })),
      [1, 4].map((index) => raw(segment.events[index] as SignedEvent)),
    )
    const whole = tornFrame(segment.summary, known) ?? assert.fail()
    const { first, before, after } = segment.summary
    assert.deepEqual(summaryOfFrames(whole, { first, before, after }), segment.summary)
  })

  it('is none where nothing was found', () => {
    assert.equal(tornFrame(segment.summary, new Map()), undefined)
    assert.equal(tornFrame(segment.summary, new Map([['gossip/other/1', new Uint8Array(9)]])), undefined)
  })
})
