import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type NodeId, toHex, type VersionVector } from '../../../src/events/index.ts'
import { bucketBits, bucketOf, differingBuckets, hasBucket, Summariser } from '../../../src/network/gossip/vector-summary.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as NodeId)
const vector: fc.Arbitrary<VersionVector> = fc
  .array(fc.tuple(key, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 200, size: 'max' })
  .map((entries) => new Map(entries))
/** A key that begins with these digits. */
const keyOf = (digits: string): NodeId => digits.padEnd(64, '0') as NodeId

const summarise = (heads: VersionVector, salt: number): Uint8Array => new Summariser().summarise(heads, salt)

describe('summary of a version vector', () => {
  it('is the same for the same heads, whatever their order', () => {
    fc.assert(
      fc.property(vector, fc.nat(), (heads, salt) => {
        assert.deepEqual(summarise(heads, salt), summarise(new Map([...heads].reverse()), salt))
      }),
    )
  })

  it('differs in exactly the bucket of an author whose head moved', () => {
    fc.assert(
      fc.property(vector, key, fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), (heads, moved, head, salt) => {
        const before = new Map(heads).set(moved, head)
        const after = new Map(heads).set(moved, head + 1)
        assert.deepEqual(differingBuckets(summarise(before, salt), summarise(after, salt)), [bucketOf(moved)])
      }),
    )
  })

  it('does not depend on which vectors were summarised before', () => {
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 5 }), fc.nat(), (vectors, salt) => {
        const summariser = new Summariser()
        for (const heads of vectors) assert.deepEqual(summariser.summarise(heads, salt), summarise(heads, salt))
      }),
    )
  })

  it('has these bytes: nodes of all versions compare them', () => {
    const heads = new Map([
      [keyOf('0123456789abcdeffe'), 1],
      [keyOf('41fedcba98765432ab'), 0x7fff_ffff],
      [keyOf('c100000000000000ff'), 0x8000_0000],
      [keyOf('ffffffffffffffffff'), Number.MAX_SAFE_INTEGER],
      [keyOf('3aaaaaaaaaaaaaaaaa'), 0x1_0000_0002],
    ])
    const bytes = summarise(heads, 0xdead_beef)
    assert.equal(bytes.length, 384)
    const told = Array.from({ length: 64 }, (_, bucket) => [bucket, toHex(bytes.subarray(6 * bucket, 6 * bucket + 6))] as const)
    assert.deepEqual(
      told.filter(([, hash]) => hash !== '000000000000'),
      [
        [1, '31a18ea4c4b2'],
        [58, 'e60ff940720e'],
        [63, '5a29518e1e6a'],
      ],
    )
  })

  it('is the same for a thousand authors, in whatever order and however often they are summarised', () => {
    const authors = Array.from({ length: 1_000 }, (_, index) => keyOf((index * 0x1234_5679).toString(16).padStart(18, '7')))
    const heads = new Map(authors.map((author, index) => [author, index + 1] as const))
    const summariser = new Summariser()
    const first = summariser.summarise(heads, 9)
    assert.deepEqual(summariser.summarise(heads, 9), first)
    assert.deepEqual(summarise(new Map([...heads].reverse()), 9), first)
    for (const index of [0, 63, 64, 65, 999]) {
      const moved = authors[index] as NodeId
      assert.deepEqual(differingBuckets(summarise(new Map(heads).set(moved, 5_000), 9), first), [bucketOf(moved)])
    }
  })

  it('looks at eight digits of the key in each half of a hash, and at all of a head', () => {
    const [salt, key] = [7, keyOf('05')]
    const hash = (author: NodeId, head: number) => toHex(summarise(new Map([[author, head]]), salt).subarray(30, 36))
    const before = hash(key, 3)
    const [low, high] = [before.slice(0, 8), before.slice(8)]
    for (let at = 2; at < 20; at++) {
      const after = hash(keyOf(`${'05'.padEnd(at, '0')}1`), 3)
      assert.deepEqual([after.slice(0, 8) !== low, after.slice(8) !== high], [at < 10, at >= 10 && at < 18], `digit ${at}`)
    }
    for (const head of [4, 3 + 2 ** 31, 3 + 2 ** 32, 3 + 2 ** 52]) {
      const after = hash(key, head)
      assert.notEqual(after.slice(0, 8), low, String(head))
      assert.notEqual(after.slice(8), high, String(head))
    }
  })

  it('is another with each salt, in both halves of a hash', () => {
    const hashes = Array.from({ length: 16 }, (_, salt) => toHex(summarise(new Map([[keyOf('05'), 3]]), salt).subarray(30, 36)))
    for (const half of [hashes.map((hash) => hash.slice(0, 8)), hashes.map((hash) => hash.slice(8))])
      assert.equal(new Set(half).size, hashes.length)
  })
})

describe('buckets of authors', () => {
  it('are told by the first two digits of the key, modulo 64', () => {
    const pairs = [...(['00', '01', '09', '0a', '0f', '10'] as const), ...(['3f', '40', '9a', 'a9', 'c0', 'ff'] as const)]
    assert.deepEqual(
      pairs.map((pair) => bucketOf(keyOf(pair))),
      pairs.map((pair) => Number.parseInt(pair, 16) % 64),
    )
  })

  it('differ where any of their six bytes does, each told once', () => {
    for (let at = 0; at < 384; at++) {
      const [a, b] = [new Uint8Array(384), new Uint8Array(384)]
      b[at] = 1
      assert.deepEqual(differingBuckets(a, b), [Math.floor(at / 6)])
    }
    const bytes = (value: number) => new Uint8Array(384).fill(value)
    assert.deepEqual(
      differingBuckets(bytes(0), bytes(1)),
      Array.from({ length: 64 }, (_, bucket) => bucket),
    )
    assert.deepEqual(differingBuckets(bytes(1), bytes(1)), [])
  })

  it('are kept as a set in eight bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63), { maxLength: 64, size: 'max' }), (buckets) => {
        const bits = bucketBits(buckets)
        assert.equal(bits.length, 8)
        for (let bucket = 0; bucket < 64; bucket++) assert.equal(hasBucket(bits, bucket), buckets.includes(bucket))
      }),
    )
    assert.deepEqual(bucketBits([0, 9, 63]), Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 128), 'as it travels')
    assert.equal(hasBucket(new Uint8Array(), 3), false, 'of bits that are none')
  })
})
