/** Places in a row that one publisher gets before every other has had as many. */
export const PLACES_IN_A_ROW = 5

/** And torrents of one title, whoever publishes them. */
export const COPIES_IN_A_ROW = 2

/** Whose words an item is: its author's, for whom a party answers; and by which words it is known, where that is told. */
export type PublisherOf<T> = { authorOf(item: T): string; partyOf(item: T): string; titleOf?(item: T): string }

/**
 * The same items, best first, with no more than five of a party in a row while others have any: its best five, then the
 * next five behind the best five of everybody else, and so on; and within a party likewise by author, for the others of an
 * invitation that one of them misuses. Thousands of titles under one word cost their publisher its own places, and nobody
 * else's. Before that, of torrents of one title the best two stand where they are, and the others behind what has another title: nothing
 * is dropped. Source: the budget of a publisher in eMule's Kad, turned from a weight into a place.
 */
export function spread<T>(items: readonly T[], { authorOf, partyOf, titleOf }: PublisherOf<T>): T[] {
  const folded = titleOf === undefined ? items : inTiers(items, titleOf, COPIES_IN_A_ROW)
  return inTiers(inTiers(folded, authorOf, PLACES_IN_A_ROW), partyOf, PLACES_IN_A_ROW)
}

function inTiers<T>(items: readonly T[], nameOf: (item: T) => string, inARow: number): T[] {
  const taken = new Map<string, number>()
  const tiers: T[][] = []
  for (const item of items) {
    const name = nameOf(item)
    const count = taken.get(name) ?? 0
    taken.set(name, count + 1)
    const tier = Math.floor(count / inARow)
    const row = tiers[tier]
    if (row === undefined) tiers.push([item])
    else row.push(item)
  }
  return tiers.flat()
}
