/**
 * `count` of the items, chosen by a seed and in their order; the same seed chooses the same of the same items.
 * Numbers by mulberry32: 32 bits of state are plenty for a draw.
 */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  let state = seed >>> 0
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const left = items.map((_, index) => index)
  const chosen: number[] = []
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(Math.floor(random() * left.length), 1))
  return chosen.sort((a, b) => a - b).map((index) => items[index] as T)
}
