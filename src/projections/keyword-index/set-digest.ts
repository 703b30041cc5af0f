// Digests of sets, kept with every change: the sum of the members' SHA-256 values, modulo 2^256, so that a member is taken out
// as it is put in and the order does not matter. Members are hashed with their author's key and a sequence that the author
// signed. Source: Bellare, Micciancio, A new paradigm for collision-free hashing, 1997 (AdHash).

/** SHA-256 (FIPS 180-4) of these bytes: 32 bytes. */
export type Sha256Of = (bytes: Uint8Array) => Uint8Array

const LANES = 8
const LANE = 2 ** 32

/** So many sums of 256 bits, one after the other. */
export class SetDigests {
  readonly lanes: Uint32Array

  constructor(count: number) {
    this.lanes = new Uint32Array(count * LANES)
  }

  add(index: number, hash: Uint8Array): void {
    let carry = 0
    for (let lane = 0; lane < LANES; lane++) {
      const at = index * LANES + lane
      const sum = (this.lanes[at] as number) + laneOf(hash, lane) + carry
      this.lanes[at] = sum
      carry = sum >= LANE ? 1 : 0
    }
  }

  subtract(index: number, hash: Uint8Array): void {
    let borrow = 0
    for (let lane = 0; lane < LANES; lane++) {
      const at = index * LANES + lane
      const difference = (this.lanes[at] as number) - laneOf(hash, lane) - borrow
      this.lanes[at] = difference
      borrow = difference < 0 ? 1 : 0
    }
  }

  hex(index: number): string {
    let text = ''
    for (let lane = LANES - 1; lane >= 0; lane--)
      text += (this.lanes[index * LANES + lane] as number).toString(16).padStart(8, '0')
    return text
  }
}

const laneOf = (hash: Uint8Array, lane: number): number => {
  const at = lane * 4
  return (
    ((hash[at] as number) |
      ((hash[at + 1] as number) << 8) |
      ((hash[at + 2] as number) << 16) |
      ((hash[at + 3] as number) << 24)) >>>
    0
  )
}
