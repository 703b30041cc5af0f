import { publishedStamp, type TorrentDocument, wordsShown } from './documents.ts'
import { fitOf, type Query } from './text/index.ts'

// The final order of the best candidates: how well the title fits dominates; seeders, freshness and whether it was
// checked move it a little.

export type RankContext = {
  readonly query: Query
  readonly lamportMax: number
  readonly now: number | undefined
}

/** Further keys of a party that holds it already add up to so many parties at most: keys cost nothing. */
const KEYS_WORTH_MAX = 5

function backing({ seeders, backers }: TorrentDocument): number {
  const more = seeders - backers
  return backers + (KEYS_WORTH_MAX * more) / (100 + more)
}

/** What can be had comes before what nobody has now, unless its title fits much worse. */
const NOBODY_THERE = 0.7

/** Higher is better. Source: title rank x (9 + s / (100 + s)) / 10, and the same shape for the rest. */
export function score(document: TorrentDocument, context: RankContext): number {
  const title = fitOf(wordsShown(document), context.query)
  const backed = backing(document)
  const seeders = (9 + backed / (100 + backed)) / 10
  const age = publishedStamp(document, context.now) / Math.max(1, context.lamportMax)
  const freshness = (19 + age) / 20
  const presence = document.seeders > 0 ? 1 : NOBODY_THERE
  return title * seeders * freshness * presence * (document.verified ? 1.05 : 1)
}
