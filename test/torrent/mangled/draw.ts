import { forked } from '../../sim/random.ts'

/** Numbers that sit at an edge of something. */
const EDGES: readonly number[] = [
  ...[0, 1, 7, 8, 255, 256, 16_383, 16_384, 16_385, 65_535, 65_536, 262_143, 262_144, 262_145],
  ...[1_000_000_000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff],
]

/** What a generator of hostile bytes draws: equal seeds and parts give equal bytes, on every machine. */
export class Draw {
  readonly #next: () => number

  constructor(seed: number, part = 0) {
    this.#next = forked(seed, part)
  }

  below(count: number): number {
    return Math.floor(this.#next() * count)
  }

  chance(share: number): boolean {
    return this.#next() < share
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }

  /** A 32-bit number that nobody should say. */
  edge(): number {
    return this.chance(0.7) ? this.of(EDGES) : this.below(2 ** 32)
  }
}
