import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { MseStep } from '../../../src/torrent/encryption/index.ts'
import { hashOfSkey } from '../../../src/torrent/encryption/index.ts'
import { ciphersOf, endOfPadA, masked } from '../../../src/torrent/encryption/mse-secrets.ts'
import { cutsOf, INFO_HASH, initiatorOf, keys, responderOf, type Side, sha1 } from './mse-pair.ts'

const KEY_BYTES = 96
const OTHER_HASH = new Uint8Array(20).fill(9)
const WEAK_KEYS: Record<string, Uint8Array> = {
  '0': Buffer.alloc(KEY_BYTES),
  '1': Buffer.concat([Buffer.alloc(KEY_BYTES - 1), Buffer.of(1)]),
  'more than the prime': Buffer.alloc(KEY_BYTES, 255),
}

/** VC, the methods, the length of a pad. */
function headOf(fields: { vc?: Uint8Array; bits: number; padBytes: number }): Buffer {
  const head = Buffer.alloc(14)
  head.set(fields.vc ?? new Uint8Array(8))
  head.writeUInt32BE(fields.bits, 8)
  head.writeUInt16BE(fields.padBytes, 12)
  return head
}

/** What an initiator that keeps to nothing says to a responder of ours, in one piece, and what comes of it. */
function dial(said: { padA?: number; infoHash?: Uint8Array; known?: Uint8Array; encrypted: readonly Uint8Array[] }): MseStep {
  const responder = responderOf()
  const pair = keys.make()
  const opened = responder.receive(pair.publicKey)
  assert.ok(opened.send)
  const secret = pair.secretWith(opened.send.subarray(0, KEY_BYTES))
  assert.ok(secret)
  const infoHash = said.infoHash ?? INFO_HASH
  const { fromInitiator } = ciphersOf(sha1, secret, infoHash)
  return responder.receive(
    Buffer.concat([
      Buffer.alloc(said.padA ?? 0, 7),
      endOfPadA(sha1, secret),
      masked(sha1, secret, hashOfSkey(sha1, said.known ?? infoHash)),
      fromInitiator.apply(Buffer.concat(said.encrypted)),
    ]),
  )
}

/** The same of a responder that keeps to nothing, to an initiator of ours that offers RC4 alone. */
function answer(said: { padB?: number; infoHash?: Uint8Array; encrypted: readonly Uint8Array[] }): MseStep {
  const initiator = initiatorOf({ offer: 'rc4' })
  const pair = keys.make()
  const secret = pair.secretWith(initiator.start().subarray(0, KEY_BYTES))
  assert.ok(secret)
  const { fromResponder } = ciphersOf(sha1, secret, said.infoHash ?? INFO_HASH)
  assert.equal(initiator.receive(pair.publicKey).state, 'more')
  return initiator.receive(Buffer.concat([Buffer.alloc(said.padB ?? 0, 7), fromResponder.apply(Buffer.concat(said.encrypted))]))
}

function assertFailed(step: MseStep, reason: RegExp): void {
  assert.equal(step.state, 'failed')
  assert.match(step.reason, reason)
  assert.equal(step.send, undefined)
}

const EMPTY_PAYLOAD = Buffer.alloc(2)

describe('a responder of the encrypted handshake', () => {
  it('has no torrent of an info hash that is not ours', () => {
    assertFailed(
      dial({ infoHash: OTHER_HASH, encrypted: [headOf({ bits: 3, padBytes: 0 }), EMPTY_PAYLOAD] }),
      /none of our torrents/,
    )
  })

  it('is not taken in by one who has only seen HASH(req2, SKEY), and knows no info hash', () => {
    const step = dial({
      ...{ infoHash: OTHER_HASH, known: INFO_HASH },
      encrypted: [headOf({ bits: 3, padBytes: 0 }), EMPTY_PAYLOAD],
    })
    assertFailed(step, /verification constant/)
  })

  it('refuses a verification constant that is not zero', () => {
    assertFailed(dial({ encrypted: [headOf({ vc: Buffer.from('00000001'), bits: 3, padBytes: 0 })] }), /verification constant/)
  })

  it('looks for the end of pad A behind 512 bytes, and no further', () => {
    const encrypted = [headOf({ bits: 3, padBytes: 0 }), EMPTY_PAYLOAD]
    assert.equal(dial({ padA: 512, encrypted }).state, 'done')
    assertFailed(dial({ padA: 513, encrypted }), /within 512 bytes/)
  })

  it('takes a pad C of 512 bytes, and refuses a longer one before it comes', () => {
    const pad = Buffer.alloc(512)
    assert.equal(dial({ encrypted: [headOf({ bits: 3, padBytes: 512 }), pad, EMPTY_PAYLOAD] }).state, 'done')
    assertFailed(dial({ encrypted: [headOf({ bits: 3, padBytes: 513 })] }), /pad C has 513 bytes/)
    assertFailed(dial({ encrypted: [headOf({ bits: 3, padBytes: 65_535 })] }), /pad C has 65535 bytes/)
  })

  it('does not look at methods of a later day', () => {
    const step = dial({ encrypted: [headOf({ bits: 0xffff_fffe, padBytes: 0 }), EMPTY_PAYLOAD] })
    assert.equal(step.state, 'done')
    assert.equal(step.method, 'rc4')
    for (const bits of [0, 4, 0xffff_fffc])
      assertFailed(dial({ encrypted: [headOf({ bits, padBytes: 0 })] }), /no method in common/)
  })

  it('hangs up on noise after its key, 512 bytes of pad and what should follow, to the byte', () => {
    const responder = responderOf()
    const noise = Buffer.concat([keys.make().publicKey, randomBytes(2_000)])
    assert.ok(responder.receive(noise.subarray(0, KEY_BYTES)).send)
    assert.equal(responder.receive(noise.subarray(KEY_BYTES, KEY_BYTES + 531)).state, 'more')
    assertFailed(responder.receive(noise.subarray(KEY_BYTES + 531, KEY_BYTES + 532)), /within 512 bytes/)
    assertFailed(responder.receive(noise), /over/)
  })

  for (const [name, key] of Object.entries(WEAK_KEYS)) {
    it(`says nothing to a public key of ${name}`, () => {
      assertFailed(responderOf().receive(key), /not one of the group/)
    })
  }
})

describe('an initiator of the encrypted handshake', () => {
  it('looks for the verification constant behind 512 bytes, and no further', () => {
    const encrypted = [headOf({ bits: 2, padBytes: 0 })]
    assert.equal(answer({ padB: 512, encrypted }).state, 'done')
    assertFailed(answer({ padB: 513, encrypted }), /within 512 bytes/)
  })

  it('does not talk with one who answers for another info hash', () => {
    assertFailed(
      answer({ infoHash: OTHER_HASH, encrypted: [headOf({ bits: 2, padBytes: 0 }), Buffer.alloc(600)] }),
      /another info hash/,
    )
  })

  it('takes a pad D of 512 bytes, and refuses a longer one before it comes', () => {
    assert.equal(answer({ encrypted: [headOf({ bits: 2, padBytes: 512 }), Buffer.alloc(512)] }).state, 'done')
    assertFailed(answer({ encrypted: [headOf({ bits: 2, padBytes: 513 })] }), /pad D has 513 bytes/)
  })

  it('refuses a method that it did not offer, several at once, none, and an unknown one', () => {
    assertFailed(answer({ encrypted: [headOf({ bits: 1, padBytes: 0 })] }), /plaintext, which was not offered/)
    for (const bits of [0, 3, 4, 6, 0x8000_0002]) {
      assertFailed(answer({ encrypted: [headOf({ bits, padBytes: 0 })] }), /no single method/)
    }
  })

  it('hangs up on noise after the key, 512 bytes of pad and what should follow, to the byte', () => {
    const initiator = initiatorOf()
    initiator.start()
    const noise = randomBytes(520)
    assert.ok(initiator.receive(keys.make().publicKey).send)
    assert.equal(initiator.receive(noise.subarray(0, 519)).state, 'more')
    assertFailed(initiator.receive(noise.subarray(519)), /within 512 bytes/)
  })

  for (const [name, key] of Object.entries(WEAK_KEYS)) {
    it(`says nothing more to a public key of ${name}`, () => {
      const initiator = initiatorOf()
      initiator.start()
      assertFailed(initiator.receive(key), /not one of the group/)
    })
  }
})

describe('either side of the encrypted handshake', () => {
  /** What an honest peer sends to each of our sides, and fresh sides that it fits. */
  function recorded(): Record<'initiator' | 'responder', { hears: Uint8Array; fresh(): Side }> {
    // The same keys and pads each time: what was recorded once is right for every side made here.
    const pairs = { initiator: keys.make(), responder: keys.make() }
    const noPads = { randomBytes: (count: number) => new Uint8Array(count) }
    const initialPayload = randomBytes(68)
    const dialling = () => {
      const initiator = initiatorOf({ ...noPads, initialPayload, keys: { make: () => pairs.initiator } })
      return { initiator, opening: initiator.start() }
    }
    const accepting = () => responderOf({ ...noPads, keys: { make: () => pairs.responder } })
    const { initiator, opening } = dialling()
    const responder = accepting()
    const sent = (step: MseStep) => {
      assert.ok(step.send)
      return step.send
    }
    const key = sent(responder.receive(opening))
    const sync = sent(initiator.receive(key))
    const selection = sent(responder.receive(sync))
    return {
      initiator: { hears: Buffer.concat([key, selection]), fresh: () => dialling().initiator },
      responder: { hears: Buffer.concat([opening, sync]), fresh: accepting },
    }
  }

  it('waits for more where an honest peer was cut off, at any byte', () => {
    for (const { hears, fresh } of Object.values(recorded())) {
      for (let length = 0; length < hears.length; length++) {
        assert.equal(fresh().receive(hears.subarray(0, length)).state, 'more')
      }
      assert.equal(fresh().receive(hears).state, 'done')
    }
  })

  it('ends in a step, whatever comes in whatever pieces', () => {
    const sides = recorded()
    fc.assert(
      fc.property(
        fc.constantFrom('responder' as const, 'initiator' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.uint8Array({ maxLength: 1_500, size: 'max' }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 10 }),
        (name, share, noise, replaces, cuts) => {
          const { hears, fresh } = sides[name]
          const at = Math.floor(share * hears.length)
          const bytes = Buffer.concat([hears.subarray(0, at), noise, hears.subarray(replaces ? at + noise.length : at)])
          const side = fresh()
          const states = cutsOf(cuts)(bytes).map((piece) => side.receive(piece).state)
          const ended = states.findIndex((state) => state !== 'more')
          if (ended >= 0) for (const state of states.slice(ended + 1)) assert.equal(state, 'failed')
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('fails on noise from the first byte on', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.uint8Array({ minLength: 628, maxLength: 3_000, size: 'max' }),
        fc.array(fc.integer({ min: 1, max: 700 })),
        (dials, noise, cuts) => {
          const side = dials ? initiatorOf() : responderOf()
          const states = cutsOf(cuts)(noise).map((piece) => side.receive(piece).state)
          assert.equal(states.at(-1), 'failed')
          assert.ok(!states.includes('done'))
        },
      ),
      { numRuns: 300 },
    )
  })
})
