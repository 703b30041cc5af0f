import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeGenesis,
  encodeGenesis,
  GENESIS_BYTES_MAX,
  type Genesis,
  type Millis,
  NAME_BYTES_MAX,
  type NodeId,
  networkIdOf,
  toHex,
} from '../../../src/events/index.ts'
import { sha256 } from '../../../src/events/keys/signer.sodium.ts'
import { isFault, keyOf } from './keys-fixture.ts'

const GENESIS: Genesis = {
  name: 'herbs',
  owner: keyOf(1).id,
  createdAt: 1_700_000_000_000 as Millis,
  open: false,
  nonce: new Uint8Array(16).fill(3),
}
const read = (more: Partial<Genesis>): Genesis => decodeGenesis(encodeGenesis({ ...GENESIS, ...more }))

describe('a genesis record', () => {
  it('is read as it was written', () => {
    const name = fc
      .string({ unit: 'grapheme', maxLength: 16 })
      .filter((text) => !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= NAME_BYTES_MAX)
    fc.assert(
      fc.property(name, fc.nat(), fc.boolean(), fc.uint8Array({ minLength: 16, maxLength: 16 }), (name, at, open, nonce) => {
        const genesis = { ...GENESIS, name, createdAt: at as Millis, open, nonce }
        assert.deepEqual(decodeGenesis(encodeGenesis(genesis)), genesis)
      }),
    )
  })

  it('names a network by the hash of its bytes: whatever differs, it is another network', () => {
    const id = (more: Partial<Genesis>) => networkIdOf(encodeGenesis({ ...GENESIS, ...more }), sha256)
    const ids = [
      id({}),
      id({ name: 'herb' }),
      id({ owner: keyOf(2).id }),
      id({ createdAt: 5 as Millis }),
      id({ open: true }),
      id({ nonce: new Uint8Array(16).fill(4) }),
    ]
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(id({}), toHex(sha256(encodeGenesis(GENESIS))))
  })

  it('has a name of at most 64 bytes without control characters, whole keys and a time', () => {
    assert.equal(read({ name: 'x'.repeat(64) }).name.length, 64)
    for (const bad of [
      { name: 'x'.repeat(65) },
      { name: 'ä'.repeat(33) },
      { name: 'a\u001b[2Jb' },
      { owner: keyOf(1).id.slice(2) as NodeId },
      { owner: `${keyOf(1).id}ab` as NodeId },
      { nonce: new Uint8Array(15) },
      { nonce: new Uint8Array(17) },
      { createdAt: (Number.MAX_SAFE_INTEGER + 1) as Millis },
    ])
      assert.throws(() => read(bad), isFault('malformed'), JSON.stringify(bad))
  })

  it('says which of its fields is wrong', () => {
    const refusal = (message: string) => ({ name: 'CredentialError', code: 'malformed', message })
    assert.throws(() => read({ name: 'x'.repeat(65) }), refusal("a network's name has more than 64 bytes"))
    assert.throws(() => read({ name: 'a\u0007' }), refusal("a network's name has control characters"))
    assert.throws(() => read({ owner: 'ab' as NodeId }), refusal("an owner's key must have 32 bytes"))
    assert.throws(() => read({ nonce: new Uint8Array(15) }), refusal('a nonce must have 16 bytes'))
    assert.throws(() => decodeGenesis(Uint8Array.of(255)), refusal('a genesis record cannot be read'))
    assert.throws(() => decodeGenesis(new Uint8Array(257)), refusal('a genesis record has more than 256 bytes'))
  })

  it('is at most 256 bytes long, and every record within the bounds is', () => {
    const longest = encodeGenesis({
      ...GENESIS,
      name: 'x'.repeat(NAME_BYTES_MAX),
      createdAt: Number.MAX_SAFE_INTEGER as Millis,
      open: true,
    })
    assert.ok(longest.length <= GENESIS_BYTES_MAX)
    // Fields that no version knows are passed over, up to the bound.
    const padded = (length: number) => Buffer.concat([encodeGenesis(GENESIS), padding(length - encodeGenesis(GENESIS).length)])
    assert.equal(decodeGenesis(padded(GENESIS_BYTES_MAX)).name, 'herbs')
    assert.throws(() => decodeGenesis(padded(GENESIS_BYTES_MAX + 1)), isFault('malformed'))
  })

  it('is refused where it cannot be read, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), (bytes) => {
        try {
          decodeGenesis(bytes)
        } catch (error) {
          isFault('malformed')(error)
        }
      }),
    )
  })
})

/** One field with the number 15, of so many bytes in all. */
const padding = (length: number): Uint8Array =>
  length < 130
    ? Uint8Array.from([122, length - 2, ...new Uint8Array(length - 2)])
    : Uint8Array.from([122, ((length - 3) & 127) | 128, (length - 3) >> 7, ...new Uint8Array(length - 3)])
