import type { NodeId, VersionVector } from '../../events/index.ts'
import { BUCKET_HASH_BYTES, SUMMARY_BUCKETS } from '../wire.ts'

// A version vector in 384 bytes: authors fall into 64 buckets by their key, and each bucket has a hash of 6 bytes that
// does not depend on order. Two nodes that hold the same events agree on all 64; otherwise only the vectors of the buckets
// that differ need to travel. The salt is new each time, so an author cannot pick a key that hides a difference for good.

/** What the summary needs of an author's key. Reading hexadecimal costs more than all the rest of a summary. */
type KeyNumbers = { readonly bucket: number; readonly a: number; readonly b: number }

function numbersOf(author: NodeId): KeyNumbers {
  return {
    bucket: bucketOf(author),
    a: Number.parseInt(author.slice(2, 10), 16),
    b: Number.parseInt(author.slice(10, 18), 16),
  }
}

/** The first two digits of the key, below 64. */
export function bucketOf(author: NodeId): number {
  return (digit(author.charCodeAt(0)) * 16 + digit(author.charCodeAt(1))) % SUMMARY_BUCKETS
}

const digit = (code: number): number => (code < 58 ? code - 48 : code - 87)

/** Finaliser of MurmurHash3 (Appleby, public domain): every input bit moves every output bit. */
function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * Makes summaries, and remembers the numbers of the keys by their place in the vector, where they nearly always stand again
 * the next time: with a thousand authors, looking each of them up by its key cost more than everything else at rest.
 */
export class Summariser {
  #authors: NodeId[] = []
  /** Bucket, a and b of each author, side by side. */
  #numbers = new Uint32Array(3 * 64)
  readonly #low = new Uint32Array(SUMMARY_BUCKETS)
  readonly #high = new Uint32Array(SUMMARY_BUCKETS)

  /** 64 hashes of 6 bytes, one after the other. */
  summarise(vector: VersionVector, salt: number): Uint8Array {
    const [low, high] = [this.#low.fill(0), this.#high.fill(0)]
    let place = 0
    for (const [author, head] of vector) {
      if (this.#authors[place] !== author) this.#know(place, author)
      const bucket = this.#numbers[3 * place] as number
      const a = (this.#numbers[3 * place + 1] as number) ^ salt
      const b = (this.#numbers[3 * place + 2] as number) + salt
      const seq = head < 0x8000_0000 ? head : (head % 0x1_0000_0000) ^ Math.floor(head / 0x1_0000_0000)
      low[bucket] = (low[bucket] as number) ^ mixed(mixed(a) + seq)
      high[bucket] = (high[bucket] as number) ^ mixed(mixed(b) ^ Math.imul(seq, 0x9e3779b1))
      place++
    }
    this.#authors.length = place
    const bytes = new Uint8Array(SUMMARY_BUCKETS * BUCKET_HASH_BYTES)
    const view = new DataView(bytes.buffer)
    for (let bucket = 0; bucket < SUMMARY_BUCKETS; bucket++) {
      view.setUint32(bucket * BUCKET_HASH_BYTES, low[bucket] as number)
      view.setUint16(bucket * BUCKET_HASH_BYTES + 4, (high[bucket] as number) & 0xffff)
    }
    return bytes
  }

  #know(place: number, author: NodeId): void {
    if (3 * place >= this.#numbers.length) {
      const longer = new Uint32Array(2 * this.#numbers.length)
      longer.set(this.#numbers)
      this.#numbers = longer
    }
    const { bucket, a, b } = numbersOf(author)
    this.#authors[place] = author
    this.#numbers.set([bucket, a, b], 3 * place)
  }
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
