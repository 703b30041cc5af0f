/** Places in a row that one party gets before every other party has had as many. */
export const PLACES_IN_A_ROW = 5

/**
 * The same items, best first, with no more than five of a party in a row while others have any: its best five, then the
 * next five behind the best five of everybody else, and so on. Thousands of titles under one word cost their party its
 * own places, and nobody else's. Source: the budget of a publisher in eMule's Kad, turned from a weight into a place.
 */
export function spread<T>(items: readonly T[], partyOf: (item: T) => string): T[] {
  const taken = new Map<string, number>()
  const tiers: T[][] = []
  for (const item of items) {
    const party = partyOf(item)
    const count = taken.get(party) ?? 0
    taken.set(party, count + 1)
    const tier = Math.floor(count / PLACES_IN_A_ROW)
    const row = tiers[tier]
    if (row === undefined) tiers.push([item])
    else row.push(item)
  }
  return tiers.flat()
}
