import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodePayload, encodePayload, type InfoHash, type NodeId } from '../../src/events/index.ts'
import { plainVerdict } from '../../src/events/judged-payload.ts'

describe('a plain verdict', () => {
  it('is read by hand as the generated decoder reads it, and left to that where it is of another form', () => {
    let plain = 0
    const range = fc.record({ first: fc.nat(2 ** 22), count: fc.integer({ min: 1, max: 2 ** 15 }) }, { noNullPrototype: true })
    fc.assert(
      fc.property(fc.array(range, { maxLength: 5 }), fc.nat(200), fc.nat(255), (good, at, value) => {
        const draft = {
          kind: 'piece.judged' as const,
          subject: 'd'.repeat(64) as NodeId,
          infoHash: '1'.repeat(40) as InfoHash,
          good,
          bad: [],
        }
        const { payload } = encodePayload(draft)
        const read = plainVerdict(payload, 0, payload.length)
        const small = good.every(({ first, count }) => first < 2 ** 21 && count < 2 ** 14)
        if (small) assert.deepEqual(read, draft)
        else assert.equal(read, undefined)
        assert.deepEqual(decodePayload(16, payload), draft)
        // One byte changed: read as the same thing by both, or by neither.
        const changed = payload.slice()
        changed[at % changed.length] = value
        const byHand = plainVerdict(changed, 0, changed.length)
        if (byHand === undefined) return
        plain++
        // With a field that nobody knows behind it, the generated decoder reads it.
        const unplain = Uint8Array.from([...changed, 120, 0])
        assert.equal(plainVerdict(unplain, 0, unplain.length), undefined)
        assert.deepEqual(decodePayload(16, unplain), byHand)
      }),
      { numRuns: 500 },
    )
    assert.ok(plain > 50)
  })
})
