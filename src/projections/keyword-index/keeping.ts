import { BUCKET_SPAN } from './segments/entries.ts'
import { PLACES_IN_A_ROW } from './spread.ts'

// Which documents an owner keeps of a keyword that more have than it has places for. Who publishes much under one word has a
// share of its places and no more while others want them, so that nobody is put out by thousands of titles of one party.

/** Documents of a keyword that its owners keep. */
export const PLACES_A_KEYWORD = 10_000
/** A list is cut when it has so many times its places: who is near the boundary does not come and go with every publication. */
export const CUT_AT = 1.2
/** The part of a keyword's places that one party has before all others had what they want of it. */
export const PARTY_SHARE = 1 / 16

/** A document that wants a place: its static rank (`rankOf`), and who answers for whoever described it. */
export type Candidate = { readonly rank: number; readonly party: string }

/**
 * Where a list was cut: enough to tell whether one more would have a place, without looking at the list. The last place was given in this
 * tier of shares, at this step of rank, in this row of a party.
 */
export type Cut = {
  readonly tier: number
  readonly bucket: number
  readonly row: number
  readonly share: number
  readonly parties: ReadonlyMap<string, PartyPlaces>
}
/** Places that a party has: in all, and in the last step; and the least step in which it has one. */
type PartyPlaces = { all: number; last: number; least: number }

export const bucketOf = (rank: number): number => Math.floor(rank / BUCKET_SPAN)

/** Places in the order in which they are given: tier by tier of shares, in each by steps of rank, in each by turns of five. */
type Turn<T> = {
  readonly item: T
  readonly candidate: Candidate
  readonly tier: number
  readonly bucket: number
  readonly row: number
}

const compareTurns = (a: Turn<unknown>, b: Turn<unknown>): number =>
  a.tier - b.tier || b.bucket - a.bucket || a.row - b.row || b.candidate.rank - a.candidate.rank

/**
 * The best `places` of the items. The same for the same items, whatever their order is, but for those whose rank and party are the
 * same.
 * @param items best first by rank, those of one rank in an order that all owners have
 */
export function keptOf<T>(
  items: readonly T[],
  candidateOf: (item: T) => Candidate,
  places = PLACES_A_KEYWORD,
): { readonly kept: ReadonlySet<T>; readonly cut: Cut | undefined } {
  if (items.length <= places) return { kept: new Set(items), cut: undefined }
  const share = shareOf(places)
  const inAll = new Map<string, number>()
  const inBucket = new Map<string, { bucket: number; count: number }>()
  const turns = items.map((item): Turn<T> => {
    const candidate = candidateOf(item)
    const { party } = candidate
    const bucket = bucketOf(candidate.rank)
    const all = inAll.get(party) ?? 0
    inAll.set(party, all + 1)
    const before = inBucket.get(party)
    const count = before?.bucket === bucket ? before.count : 0
    inBucket.set(party, { bucket, count: count + 1 })
    return { item, candidate, bucket, tier: Math.floor(all / share), row: Math.floor(count / PLACES_IN_A_ROW) }
  })
  // A sort that keeps the order of those that are level.
  turns.sort(compareTurns)
  const kept = turns.slice(0, places)
  return { kept: new Set(kept.map(({ item }) => item)), cut: cutOf(kept, share) }
}

const shareOf = (places: number): number => Math.max(PLACES_IN_A_ROW, Math.floor(places * PARTY_SHARE))

function cutOf(kept: readonly Turn<unknown>[], share: number): Cut | undefined {
  const last = kept.at(-1)
  if (last === undefined) return undefined
  const { tier, bucket, row } = last
  const cut = { tier, bucket, row, share, parties: new Map<string, PartyPlaces>() }
  for (const { candidate } of kept) countPlace(cut, candidate)
  return cut
}

/**
 * Whether one more document would have a place in a list as it was when it was cut. Says yes in doubt: the next cut decides. One of a
 * party that has its places takes that of one of its own at a lower step of rank, or none: who publishes on and on would otherwise have
 * each of them taken in and thrown out again.
 */
export function wouldKeep({ tier, bucket, row, share, parties }: Cut, { rank, party }: Candidate): boolean {
  const own = parties.get(party)
  const step = bucketOf(rank)
  const ownTier = Math.floor((own?.all ?? 0) / share)
  if (ownTier > tier) return step > (own?.least ?? -1)
  if (ownTier < tier || step > bucket) return true
  return step === bucket && Math.floor((own?.last ?? 0) / PLACES_IN_A_ROW) <= row
}

/** Counts one that was taken since, so that a party does not have its share anew with each publication. */
export function countPlace(cut: Cut, { rank, party }: Candidate): void {
  const step = bucketOf(rank)
  const own = cut.parties.get(party)
  ;(cut.parties as Map<string, PartyPlaces>).set(party, {
    all: (own?.all ?? 0) + 1,
    last: (own?.last ?? 0) + Number(step === cut.bucket),
    least: Math.min(own?.least ?? step, step),
  })
}
