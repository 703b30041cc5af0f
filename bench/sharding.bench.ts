import { partitionOf } from '../src/projections/keyword-index/index.ts'
import { PLACES_A_KEYWORD } from '../src/projections/keyword-index/keeping.ts'
import type { Bench, BenchContext } from './harness.ts'
import { makeQueries, makeTitles, randomFrom } from './search-corpus.ts'
import { answerBytes } from './sharding-bytes.ts'
import {
  backersOf,
  type Corpus,
  corpusOf,
  holdersOf,
  indexNodes,
  loadOf,
  ownersOfAll,
  type Placement,
  type PlannedTitle,
  type Publication,
  partyOf,
  placementOf,
  spamOf,
} from './sharding-network.ts'
import { pageOf, partsOf, sharedOf } from './sharding-queries.ts'

// How a network of index nodes shares out a million titles, by the product's own functions and no sockets: who keeps what, what a search
// over it finds beside one index of everything, and what a node that joins, owners that are lost and publishers who spam change. A
// smaller corpus stands for a larger one by fewer places a keyword: 200,000 titles (`--torrents 200000`) with 2,000 places for a million with
// 10,000; a hundred million are nothing but that. `--full` takes three million.

const SEED = 12
const PARTIES = 2_000
const TITLES = 1_000_000
const MANY_TITLES = 100_000_000
const SIZES = [5, 20, 100, 1_000] as const
const LARGEST = 1_000
const JOINED_BY = 20
/** Three in ten publishers write titles of common words, half as many as all others together. */
const SPAM_SHARE = 0.5
const SPAM = [
  ['30 % of the publishers spam', 0],
  ['30 % spam, each title backed by five more of them', 5],
] as const

const bench: Bench = async (context) => {
  const { full, torrents, note, report } = context
  const count = torrents ?? (full ? 3 * TITLES : TITLES)
  const scaled = (titles: number): number => Math.round(PLACES_A_KEYWORD * Math.min(1, count / titles))
  const titles = makeTitles(count, SEED)
  const random = randomFrom(SEED)
  const planned = titles.map(
    (title): PlannedTitle => ({ ...title, party: partyOf(random, PARTIES), backers: backersOf(title, PARTIES), isSpam: false }),
  )
  const corpus = corpusOf(planned)
  const placement = placementOf(corpus, scaled(TITLES))
  note(
    `${count.toLocaleString('en')} invented titles of ${PARTIES.toLocaleString('en')} publishers, seed ${SEED}, ${scaled(TITLES).toLocaleString('en')} places a keyword`,
  )

  for (const size of SIZES) reportLoad(context, `${size} nodes`, placement, size)
  reportLoad(context, `${LARGEST} nodes, each keeping every title of its keywords`, placementOf(corpus, count), LARGEST, false)
  reportLoad(context, `${LARGEST} nodes, 100 M titles by scaling`, placementOf(corpus, scaled(MANY_TITLES)), LARGEST, false)

  const queries = makeQueries(titles, SEED)
  const asked = [...queries.common, ...queries.threeWords, ...queries.rare, ...queries.mixed]
  reportQueries(context, placement, asked)

  const before = ownersOfAll(indexNodes(JOINED_BY))
  const after = ownersOfAll(indexNodes(JOINED_BY + 1))
  report({
    ...{ name: `${JOINED_BY + 1}st node joins: copies moved`, unit: '%', target: { atMost: 6 } },
    value: 100 * movedShare(placement, before, after),
  })

  for (const [name, backers] of SPAM) {
    const spam = spamOf(planned, { share: SPAM_SHARE, parties: PARTIES, backers, random })
    reportSpam(context, name, corpus, placementOf(corpusOf([...planned, ...spam]), scaled(TITLES)), asked)
  }
}

function reportLoad({ report }: BenchContext, name: string, placement: Placement, size: number, isAsked = true): void {
  const owners = ownersOfAll(indexNodes(size))
  const { whole: load, byWords: withoutHash } = loadOf(placement, owners, size)
  const hasTarget = isAsked && size === LARGEST
  report({
    ...{ name: `${name}: copies of a title`, value: load.copies, unit: 'copies' },
    ...(hasTarget ? { target: { atMost: 12 } } : {}),
  })
  report({
    ...{ name: `${name}: titles on the fullest node`, value: 100 * load.fullest, unit: '%' },
    ...(hasTarget ? { target: { atMost: 5 } } : {}),
  })
  report({ name: `${name}: copies without owners of info hashes`, value: withoutHash.copies, unit: 'copies' })
  report({ name: `${name}: fullest node without them`, value: 100 * withoutHash.fullest, unit: '%' })
  report({ name: `${name}: titles that nobody keeps without them`, value: 100 * withoutHash.homeless, unit: '%' })
}

/** What the owner of that rank has of a keyword's titles, and whatever else it keeps. */
function heldBy(
  placement: Placement,
  owners: readonly number[][],
  rank: number,
): (keyword: string, ordinal: number) => boolean {
  const holders = new Map<number, ReadonlySet<number>>()
  return (keyword, ordinal) => {
    let own = holders.get(ordinal)
    if (own === undefined) {
      own = holdersOf(placement, ordinal, owners)
      holders.set(ordinal, own)
    }
    return own.has(owners[partitionOf(keyword)]?.[rank] ?? -1)
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function reportQueries({ report }: BenchContext, placement: Placement, queries: readonly string[]): void {
  const { corpus } = placement
  const owners = ownersOfAll(indexNodes(LARGEST))
  const pages = queries.map((text) => pageOf(text, corpus, () => true))
  const found = (rank: number) => queries.map((text) => pageOf(text, corpus, heldBy(placement, owners, rank)))
  const shares = (got: ReturnType<typeof found>): number[] => pages.map((page, at) => sharedOf(page, got[at] ?? []))
  const first = found(0)
  const name = `${LARGEST} nodes, ${queries.length} searches`
  report({
    ...{ name: `${name}: of one big index's first 20`, value: 100 * mean(shares(first)), unit: '%', target: { atLeast: 99 } },
  })
  report({
    name: `${name}: that find all of them`,
    value: 100 * mean(shares(first).map((one) => Number(one === 1))),
    unit: '%',
  })
  report({
    ...{ name: `${name}, two of three owners lost: of its first 20`, unit: '%', target: { atLeast: 99 } },
    value: 100 * mean(shares(found(2))),
  })
  const parts = queries.map((text) => partsOf(text, corpus).length)
  report({
    ...{ name: `${name}: bytes of one owner's question and answer`, unit: 'B' },
    value: mean(queries.map((text, at) => answerBytes(text, first[at] ?? []))),
  })
  report({ name: `${name}: keywords asked for, two owners each`, value: mean(parts), unit: 'keywords' })
  // A client computes the owners, and asks them itself.
  report({ name: `${name}: hops`, value: 1, unit: 'hops', target: { atMost: 1 } })
}

/** Of all copies after one node came, those that it had to fetch. */
function movedShare(placement: Placement, before: readonly number[][], after: readonly number[][]): number {
  let [moved, all] = [0, 0]
  for (let ordinal = 0; ordinal < placement.corpus.publications.length; ordinal++) {
    const had = holdersOf(placement, ordinal, before)
    const has = holdersOf(placement, ordinal, after)
    all += has.size
    for (const node of has) if (!had.has(node)) moved += 1
  }
  return moved / all
}

const honestOf = (page: readonly Publication[]): Publication[] => page.filter(({ isSpam }) => !isSpam)

function reportSpam(
  { report }: BenchContext,
  name: string,
  clean: Corpus,
  spammed: Placement,
  queries: readonly string[],
): void {
  const owners = ownersOfAll(indexNodes(LARGEST))
  const isHeld = heldBy(spammed, owners, 0)
  const pages = queries.map((text) => ({
    honest: pageOf(text, clean, () => true),
    whole: pageOf(text, spammed.corpus, () => true),
    shared: pageOf(text, spammed.corpus, isHeld),
  }))
  report({
    ...{ name: `${name}: of the honest ones in one big index's first 20`, unit: '%', target: { atLeast: 99 } },
    value: 100 * mean(pages.map(({ whole, shared }) => sharedOf(honestOf(whole), shared))),
  })
  report({
    ...{ name: `${name}: of the first 20 without spam`, unit: '%' },
    value: 100 * mean(pages.map(({ honest, shared }) => sharedOf(honest, shared))),
    against: { name: 'one big index', value: 100 * mean(pages.map(({ honest, whole }) => sharedOf(honest, whole))) },
    ratioTarget: { atLeast: 0.99 },
  })
  report({ name: `${name}: copies of a title`, value: loadOf(spammed, owners, LARGEST).whole.copies, unit: 'copies' })
}

export default bench
