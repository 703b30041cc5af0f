// A fast hash of strings with no need of secrecy: partitions of keywords, rendezvous ranks, checksums of rows.
// Two 32 bit lanes of FNV-1a over UTF-16 code units (Fowler, Noll, Vo; draft-eastlake-fnv), each finished by the
// avalanche step of MurmurHash3 (Appleby, public domain) with the other lane mixed in. It is part of what nodes agree
// on (a keyword's partition follows from it), so it must never change.

const FNV_PRIME = 0x01000193
const FNV_OFFSET = 0x811c9dc5
/** The second lane starts elsewhere and multiplies by another odd constant, so that the lanes do not collide together. */
const SECOND_OFFSET = 0x9e3779b9
const SECOND_PRIME = 0x85ebca6b

function avalanche(lane: number): number {
  let mixed = lane ^ (lane >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** 53 bits of hash, as a whole number from 0 to 2^53 - 1. */
export function stringHash(text: string): number {
  let first = FNV_OFFSET
  let second = SECOND_OFFSET
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    first = Math.imul(first ^ unit, FNV_PRIME)
    second = Math.imul((second ^ unit) + (second >>> 15), SECOND_PRIME)
  }
  const low = avalanche(first ^ avalanche(second))
  const high = avalanche(second ^ low) & 0x1fffff
  return high * 2 ** 32 + low
}
