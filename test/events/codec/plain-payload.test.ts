import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodePayload, type EventOf, encodePayload, type InfoHash, KINDS, type NodeId } from '../../../src/events/index.ts'
import { plainVerdict } from '../../../src/events/model/judged-payload.ts'
import { plainMember } from '../../../src/events/model/member-payload.ts'
import { ipv4s } from '../arbitraries.ts'

const plain = { noNullPrototype: true } as const

/**
 * One byte changed: read as the same thing by both decoders, or left to the generated one.
 * @returns true if it was read by hand
 */
function readsAlike(
  number: number,
  changed: Uint8Array,
  byHand: (bytes: Uint8Array, at: number, end: number) => object | undefined,
): boolean {
  const read = byHand(changed, 0, changed.length)
  // In the middle of other bytes it is the same, and nothing around it is looked at.
  const framed = Uint8Array.from([...changed.slice(0, 7), ...changed, ...changed])
  assert.deepEqual(byHand(framed, 7, 7 + changed.length), read)
  if (read === undefined) return false
  // With a field that nobody knows behind it, the generated decoder reads it.
  const unplain = Uint8Array.from([...changed, 120, 0])
  assert.equal(byHand(unplain, 0, unplain.length), undefined)
  assert.deepEqual(decodePayload(number, unplain), read)
  return true
}

describe('a payload of the plain form is read by hand as the generated decoder reads it', () => {
  it('a verdict with good pieces alone', () => {
    let byHand = 0
    const range = fc.record({ first: fc.nat(2 ** 22), count: fc.integer({ min: 1, max: 2 ** 15 }) }, plain)
    fc.assert(
      fc.property(fc.array(range, { maxLength: 5 }), fc.nat(200), fc.nat(255), (good, at, value) => {
        const draft = {
          kind: 'piece.judged' as const,
          subject: 'd'.repeat(64) as NodeId,
          infoHash: '1'.repeat(40) as InfoHash,
          good,
          bad: [],
        }
        const { number, payload } = encodePayload(draft)
        const read = plainVerdict(payload, 0, payload.length)
        const small = good.every(({ first, count }) => first < 2 ** 21 && count < 2 ** 14)
        if (small) assert.deepEqual(read, draft)
        else assert.equal(read, undefined)
        assert.deepEqual(decodePayload(number, payload), draft)
        const changed = payload.with(at % payload.length, value)
        if (readsAlike(number, changed, plainVerdict)) byHand++
      }),
      { numRuns: 500 },
    )
    assert.ok(byHand > 50)
  })

  it('a change of a member', () => {
    type Change = EventOf<'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'>
    const kinds = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left'] as const
    const changes: fc.Arbitrary<Change> = fc.record(
      {
        kind: fc.constantFrom(...kinds),
        subject: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => Buffer.from(key).toString('hex') as NodeId),
        incarnation: fc.oneof(fc.nat(2 ** 29), fc.nat(Number.MAX_SAFE_INTEGER)),
        role: fc.constantFrom('bootstrap' as const, 'index' as const, 'client' as const),
        host: ipv4s,
        port: fc.integer({ min: 1, max: 65_535 }),
        dhtPort: fc.oneof(fc.constant(0), fc.nat(65_535)),
      },
      plain,
    )
    let byHand = 0
    fc.assert(
      fc.property(changes, fc.nat(200), fc.nat(255), (change, at, value) => {
        const { number, payload } = encodePayload(change)
        const read = plainMember(change.kind, payload, 0, payload.length)
        if (change.incarnation < 2 ** 28) assert.deepEqual(read, change)
        else assert.equal(read, undefined)
        assert.deepEqual(decodePayload(number, payload), change)
        const changed = payload.with(at % payload.length, value)
        if (readsAlike(number, changed, (bytes, from, end) => plainMember(change.kind, bytes, from, end))) byHand++
      }),
      { numRuns: 1000 },
    )
    assert.ok(byHand > 100)
  })

  it('leaves numbers that are no port to the decoder that refuses them', () => {
    const change = { kind: 'member.alive' as const, subject: 'a'.repeat(64) as NodeId, incarnation: 3, role: 'index' as const }
    const { number, payload } = encodePayload({ ...change, host: '10.0.0.1', port: 65_535, dhtPort: 0 })
    assert.deepEqual([...payload.slice(-4)], [40, 255, 255, 3])
    const tooHigh = payload.with(payload.length - 1, 4)
    assert.equal(plainMember('member.alive', tooHigh, 0, tooHigh.length), undefined)
    assert.throws(() => decodePayload(number, tooHigh), /a port is out of range/)
    assert.equal(number, KINDS['member.alive'].number)
  })

  it('leaves a verdict with an empty range, or one that goes past its end, to the decoder that refuses it', () => {
    const draft = { kind: 'piece.judged' as const, subject: 'd'.repeat(64) as NodeId, infoHash: '1'.repeat(40) as InfoHash }
    const { number, payload } = encodePayload({ ...draft, good: [{ first: 5, count: 9 }], bad: [] })
    assert.notEqual(plainVerdict(payload, 0, payload.length), undefined)
    assert.equal(plainVerdict(payload, 0, payload.length - 1), undefined)
    const empty = payload.with(payload.length - 1, 0)
    assert.equal(plainVerdict(empty, 0, empty.length), undefined)
    assert.throws(() => decodePayload(number, empty), /empty or too long/)
  })

  it('leaves a member with a host and no port, or with something behind it, to the decoder that knows', () => {
    const change = { kind: 'member.alive' as const, subject: 'a'.repeat(64) as NodeId, incarnation: 3, role: 'index' as const }
    const { number, payload } = encodePayload({ ...change, host: '10.0.0.1', port: 1, dhtPort: 0 })
    assert.deepEqual([...payload.slice(-2)], [40, 1])
    const noPort = payload.slice(0, -2)
    assert.equal(plainMember('member.alive', noPort, 0, noPort.length), undefined)
    assert.throws(() => decodePayload(number, noPort), /no address that can be dialled/)
    const more = Uint8Array.from([...payload, 120, 0])
    assert.equal(plainMember('member.alive', more, 0, more.length), undefined)
  })
})
