import type { NodeId, VersionVector } from '../../events/index.ts'
import { BUCKET_HASH_BYTES, SUMMARY_BUCKETS } from '../wire.ts'

// A version vector in 384 bytes: authors fall into 64 buckets by their key, and each bucket has a hash of 6 bytes that
// does not depend on order. Two nodes that hold the same events agree on all 64; otherwise only the vectors of the buckets
// that differ need to travel. The salt is new each time, so an author cannot pick a key that hides a difference for good.

type KeyNumbers = { readonly bucket: number; readonly a: number; readonly b: number }

/** Keys as numbers, for authors met before: reading hexadecimal costs more than all the rest of a summary. */
const KNOWN_MAX = 16_384
const known = new Map<NodeId, KeyNumbers>()

function numbersOf(author: NodeId): KeyNumbers {
  const before = known.get(author)
  if (before !== undefined) return before
  const numbers = {
    bucket: Number.parseInt(author.slice(0, 2), 16) % SUMMARY_BUCKETS,
    a: Number.parseInt(author.slice(2, 10), 16),
    b: Number.parseInt(author.slice(10, 18), 16),
  }
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(author, numbers)
  return numbers
}

export function bucketOf(author: NodeId): number {
  return numbersOf(author).bucket
}

/** Finaliser of MurmurHash3 (Appleby, public domain): every input bit moves every output bit. */
function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** 64 hashes of 6 bytes, one after the other. */
export function summarise(vector: VersionVector, salt: number): Uint8Array {
  const low = new Uint32Array(SUMMARY_BUCKETS)
  const high = new Uint32Array(SUMMARY_BUCKETS)
  for (const [author, head] of vector) {
    const numbers = numbersOf(author)
    const { bucket } = numbers
    const a = numbers.a ^ salt
    const b = numbers.b + salt
    const seq = (head % 0x1_0000_0000) ^ Math.floor(head / 0x1_0000_0000)
    low[bucket] = (low[bucket] ?? 0) ^ mixed(mixed(a) + seq)
    high[bucket] = (high[bucket] ?? 0) ^ mixed(mixed(b) ^ Math.imul(seq, 0x9e3779b1))
  }
  const bytes = new Uint8Array(SUMMARY_BUCKETS * BUCKET_HASH_BYTES)
  const view = new DataView(bytes.buffer)
  for (let bucket = 0; bucket < SUMMARY_BUCKETS; bucket++) {
    view.setUint32(bucket * BUCKET_HASH_BYTES, low[bucket] ?? 0)
    view.setUint16(bucket * BUCKET_HASH_BYTES + 4, (high[bucket] ?? 0) & 0xffff)
  }
  return bytes
}

/** The buckets in which two summaries with the same salt differ. */
export function differingBuckets(a: Uint8Array, b: Uint8Array): number[] {
  const differing: number[] = []
  for (let bucket = 0; bucket < SUMMARY_BUCKETS; bucket++) {
    const start = bucket * BUCKET_HASH_BYTES
    for (let at = start; at < start + BUCKET_HASH_BYTES; at++) {
      if (a[at] !== b[at]) {
        differing.push(bucket)
        break
      }
    }
  }
  return differing
}

/** Bucket numbers as a set of 64 bits, 8 bytes. */
export function bucketBits(buckets: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(SUMMARY_BUCKETS / 8)
  for (const bucket of buckets) bits[bucket >> 3] = (bits[bucket >> 3] ?? 0) | (1 << (bucket & 7))
  return bits
}

export function hasBucket(bits: Uint8Array, bucket: number): boolean {
  return ((bits[bucket >> 3] ?? 0) & (1 << (bucket & 7))) !== 0
}
