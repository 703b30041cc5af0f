import assert from 'node:assert/strict'
import type { Envelope } from '../../../src/events/index.ts'
import {
  encodeFrame,
  framesOf,
  readSegment,
  signedEventsOf,
  thinFrames,
  wantedKinds,
} from '../../../src/events/segments/segment.ts'
import { foreign, noUpcast, signerOf } from '../samples.ts'

const events = Array.from({ length: 10 }, (_, index) => foreign(signerOf(1), index + 1, index + 1))
const segment = Uint8Array.from([...encodeFrame(events.slice(0, 4)), ...encodeFrame(events.slice(4))])

function read(from: number, to: number, wanted?: Uint8Array, bytes: Uint8Array = segment): number[] {
  const found: Envelope[] = []
  readSegment(bytes, 0, 101, { from, to, wanted }, noUpcast, found)
  return found.map(({ seq }) => seq)
}

describe('a segment', () => {
  it('is read from and to any event, in the middle of a frame or not', () => {
    for (let from = 100; from <= 111; from++)
      for (let to = from; to <= 111; to++) {
        const expected = Array.from({ length: 10 }, (_, index) => 101 + index).filter((seq) => seq >= from && seq <= to)
        assert.deepEqual(read(from, to), expected, `${from} to ${to}`)
      }
    assert.deepEqual(read(101, 110, wantedKinds(['member.left'])).length, 10)
    assert.deepEqual(read(101, 110, wantedKinds(['member.alive'])), [])
  })

  it('has its frames side by side', () => {
    assert.deepEqual(
      framesOf(segment, 0, 101).map(({ first, count }) => [first, count]),
      [
        [101, 4],
        [105, 6],
      ],
    )
  })

  it('keeps the places of what was let go of', () => {
    const thin = thinFrames(segment, 101, (seq) => seq % 3 === 0)
    const left = [101, 103, 104, 106, 107, 109, 110]
    assert.deepEqual(read(1, 999, undefined, thin), left)
    const signed = [...signedEventsOf(thin, 0, 101)]
    assert.deepEqual(
      signed.map(({ seq }) => seq),
      left,
    )
    for (const { seq, body, signature } of signed) {
      assert.deepEqual(Buffer.from(body), Buffer.from(events[seq - 101]?.body ?? []))
      assert.deepEqual(Buffer.from(signature), Buffer.from(events[seq - 101]?.signature ?? []))
    }
    assert.deepEqual(
      thinFrames(thin, 101, (seq) => seq % 3 === 0),
      thin,
    )
  })
})
