import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { MseMethod, MseMethods } from '../../../src/torrent/encryption/index.ts'
import { assertDone, cutsOf, INFO_HASH, initiatorOf, padsOf, responderOf, type Side, talk } from './mse-pair.ts'

const NOTHING = { initiator: new Uint8Array(), responder: new Uint8Array() }

describe('both sides of the encrypted handshake', () => {
  const combinations: [offer: MseMethods, accept: MseMethods, agreed: MseMethod | undefined][] = [
    ['plaintext', 'plaintext', 'plaintext'],
    ['plaintext', 'rc4', undefined],
    ['plaintext', 'both', 'plaintext'],
    ['rc4', 'plaintext', undefined],
    ['rc4', 'rc4', 'rc4'],
    ['rc4', 'both', 'rc4'],
    ['both', 'plaintext', 'plaintext'],
    ['both', 'rc4', 'rc4'],
    ['both', 'both', 'plaintext'],
  ]
  for (const [offer, accept, agreed] of combinations) {
    it(`${agreed === undefined ? 'fail' : `agree on ${agreed}`} where ${offer} is offered and ${accept} accepted`, () => {
      const { initiator, responder } = talk({ initiator: initiatorOf({ offer }), responder: responderOf({ accept }) }, NOTHING)
      if (agreed === undefined) {
        assert.equal(responder.state, 'failed')
        assert.match(responder.reason, /no method in common/)
        assert.equal(initiator.state, 'more')
      } else {
        for (const step of [assertDone(initiator), assertDone(responder)]) {
          assert.equal(step.method, agreed)
          assert.equal(step.encrypt !== undefined, agreed === 'rc4')
          assert.equal(step.decrypt !== undefined, agreed === 'rc4')
        }
      }
    })
  }

  it('hear each other whatever the pads, the payloads and the cuts of the line are', () => {
    const pad = fc.oneof(fc.constantFrom(0, 1, 2, 511, 512), fc.nat(512))
    const methods = fc.constantFrom<MseMethods>('plaintext', 'rc4', 'both')
    fc.assert(
      fc.property(
        fc.record({ offer: methods, accept: methods, padByte: fc.nat(255) }),
        fc.tuple(pad, pad),
        fc.tuple(pad, pad),
        fc.record({
          first: fc.uint8Array({ maxLength: 2_000, size: 'max' }),
          later: fc.uint8Array({ maxLength: 2_000, size: 'max' }),
        }),
        fc.uint8Array({ maxLength: 2_000, size: 'max' }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2_000 })), { maxLength: 20, size: 'max' }),
        ({ offer, accept, padByte }, padsA, padsB, says, answer, cuts) => {
          const result = talk(
            {
              initiator: initiatorOf({ offer, initialPayload: says.first, randomBytes: padsOf(padsA, padByte) }),
              responder: responderOf({ accept, randomBytes: padsOf(padsB, padByte) }),
            },
            { initiator: says.later, responder: answer },
            cutsOf(cuts),
          )
          const agreed = combinations.find(([offered, accepted]) => offered === offer && accepted === accept)?.[2]
          if (agreed === undefined) {
            assert.equal(result.responder.state, 'failed')
            return
          }
          for (const step of [assertDone(result.initiator), assertDone(result.responder)]) {
            assert.equal(step.method, agreed)
            assert.deepEqual(step.infoHash, INFO_HASH)
          }
          assert.deepEqual(result.heardByResponder, Buffer.concat([says.first, says.later]))
          assert.deepEqual(result.heardByInitiator, Buffer.from(answer))
        },
      ),
      { numRuns: 300 },
    )
  })

  for (const offer of ['plaintext', 'rc4'] as const) {
    it(`carry a stream of 1 MB each way by ${offer}, the same at the other end`, () => {
      const says = { initiator: randomBytes(1_000_000), responder: randomBytes(1_000_000) }
      const cut = cutsOf([1_460, 16_384, 7, 65_536])
      const result = talk({ initiator: initiatorOf({ offer }), responder: responderOf() }, says, cut)
      assert.equal(assertDone(result.responder).method, offer)
      assert.ok(result.heardByResponder.equals(says.initiator))
      assert.ok(result.heardByInitiator.equals(says.responder))
    })
  }

  it('take the longest initial payload, byte by byte', () => {
    const initialPayload = randomBytes(65_535)
    const sides = { initiator: initiatorOf({ initialPayload }), responder: responderOf() }
    const result = talk(sides, NOTHING, cutsOf([1]))
    assertDone(result.initiator)
    assert.ok(result.heardByResponder.equals(initialPayload))
  })

  it('leave what they are given as it is, and keep nothing of its memory', () => {
    const initiator = initiatorOf({ offer: 'rc4', initialPayload: Buffer.from('hello') })
    const responder = responderOf()
    // One buffer for all that comes in, as a socket with `onread` has.
    const shared = Buffer.alloc(4_096)
    const give = (side: Side, bytes: Uint8Array) => {
      shared.fill(0)
      shared.set(bytes)
      const step = side.receive(shared.subarray(0, bytes.length))
      assert.ok(shared.subarray(0, bytes.length).equals(bytes))
      return step
    }
    const opening = initiator.start()
    give(responder, opening.subarray(0, 90))
    const answer = give(responder, opening.subarray(90))
    assert.ok(answer.send)
    give(initiator, answer.send.subarray(0, 50))
    const sync = give(initiator, answer.send.subarray(50))
    assert.ok(sync.send)
    give(responder, sync.send.subarray(0, sync.send.length - 3))
    const done = assertDone(give(responder, sync.send.subarray(sync.send.length - 3)))
    shared.fill(0)
    assert.equal(Buffer.from(done.incoming).toString(), 'hello')
    assert.ok(done.send)
    assertDone(give(initiator, done.send))
  })

  it('say that it is over to whoever goes on with it', () => {
    const sides = { initiator: initiatorOf(), responder: responderOf() }
    talk(sides, NOTHING)
    for (const side of [sides.initiator, sides.responder]) {
      assert.deepEqual(side.receive(Buffer.of(1)), { state: 'failed', reason: 'the handshake is over' })
    }
  })

  it('refuse an initial payload of more than two bytes can say, and what is no info hash', () => {
    assert.throws(() => initiatorOf({ initialPayload: new Uint8Array(65_536) }), RangeError)
    assert.throws(() => initiatorOf({ infoHash: new Uint8Array(32) }), RangeError)
  })
})
