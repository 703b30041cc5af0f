import type { HeldDocument } from './document-store.ts'
import { compareRank } from './documents.ts'
import { documentAt, documentOf, type KeywordIndexState, partyIn } from './index-state.ts'
import { testOfQuery } from './matching.ts'
import { memtableSource, type Source, type Steps, segmentSource } from './posting-sources.ts'
import { compareEntries, type Entry } from './segments/entries.ts'
import { spread } from './spread.ts'
import { type Clause, type Query, wholeWordsOf } from './text/index.ts'

/** Listings that a search looks at, and documents that it reads: more would hold the event loop. */
const LISTINGS_MAX = 50_000
const DOCUMENTS_MAX = 4_000
/** Places that it looks for in lists. */
const STEPS_MAX = 50_000
/** Documents of one party that are taken while others have any. */
const PARTY_MAX = 20

/** Documents that a query asks for, best first by static rank. `cut`: there may be more. */
export type Candidates = { readonly documents: readonly HeldDocument[]; readonly cut: boolean }

export type CandidatesWanted = {
  /** So many at most. */
  readonly wanted: number
  /** So many make do, if finding more would be slow. */
  readonly enough: number
  /** See `SearchOptions`. */
  readonly now: number | undefined
}

/**
 * The best documents that a query asks for. No more of one party than `PARTY_MAX` before those of every other, so that
 * thousands of titles under one word cost their publisher its own places.
 */
export function candidates(state: KeywordIndexState, query: Query, options: CandidatesWanted): Candidates {
  if (query.clauses.length === 0 && query.filters.length === 0) return { documents: [], cut: false }
  const named = namedBy(state, query, options.now)
  if (named.length > 0) {
    const { documents, cut } = walkedFor(state, query, options)
    return { documents: [...named, ...documents.filter((document) => !named.includes(document))], cut }
  }
  return walkedFor(state, query, options)
}

/** Torrents that a query names by their info hashes: no list has them. */
function namedBy(state: KeywordIndexState, query: Query, now: number | undefined): HeldDocument[] {
  const hashes = new Set(query.clauses.flat().flatMap((term) => (term.kind === 'infohash' ? [term.infoHash] : [])))
  const test = testOfQuery(query)
  return [...hashes].flatMap((infoHash) => {
    const document = documentOf(state, infoHash, now)
    return document !== undefined && test(document) ? [document] : []
  })
}

function walkedFor(state: KeywordIndexState, query: Query, options: CandidatesWanted): Candidates {
  // The best of a prefix may be mostly of one party, or fewer than are asked for: then its words are walked one by one.
  const best = walked(state, query, options, true)
  const makesDo = !best.isOfBest || (best.documents.length >= options.enough && !best.isCrowded)
  return makesDo ? best : walked(state, query, options, false)
}

/** `isOfBest`: of the best of a prefix alone. `isCrowded`: a party has more of them than are taken at first. */
type Walked = Candidates & { readonly isOfBest: boolean; readonly isCrowded: boolean }

function walked(state: KeywordIndexState, query: Query, { wanted, now }: CandidatesWanted, ofBest: boolean): Walked {
  const { listings, authors } = state
  const memtables = [...(listings.frozen === undefined ? [] : [listings.frozen.memtable]), listings.memtable]
  const sources = [...listings.segments.map(segmentSource), ...memtables.map(memtableSource)]
  const walk = new RankWalk(sources, { ...query, clauses: query.clauses.flatMap(withWholeWords) }, ofBest)
  const test = testOfQuery(query)
  const found: HeldDocument[] = []
  const later: Entry[] = []
  const perParty = new Map<string, number>()
  let [looks, reads] = [0, 0]
  const readsMax = Math.max(DOCUMENTS_MAX, wanted)
  const read = ({ ordinal, serial }: Entry): HeldDocument | undefined => {
    reads += 1
    const document = documentAt(state, ordinal, now)
    return document?.serial === serial && test(document) ? document : undefined
  }
  let isCut = walk.cut
  for (let entry = walk.next(); entry !== undefined; entry = walk.next()) {
    if (listings.serials.isDead(entry.serial)) continue
    if (++looks > LISTINGS_MAX || reads >= readsMax) {
      isCut = true
      break
    }
    const author = authors.idOf(entry.author)
    const party = author && partyIn(state, author)
    if (party === undefined) continue
    const taken = perParty.get(party) ?? 0
    if (taken >= PARTY_MAX) {
      if (later.length < wanted) later.push(entry)
      else isCut = true
      continue
    }
    const document = read(entry)
    if (document === undefined) continue
    perParty.set(party, taken + 1)
    found.push(document)
    if (found.length >= wanted) break
  }
  const first = spread(
    found.sort((a, b) => compareRank(a, b, now)),
    { authorOf: ({ description }) => description?.author ?? '', partyOf: ({ party }) => party },
  )
  for (const entry of later) {
    if (first.length >= wanted) break
    if (reads >= readsMax) {
      isCut = true
      break
    }
    const document = read(entry)
    if (document !== undefined) first.push(document)
  }
  return { documents: first, cut: isCut || walk.steps.left <= 0, isOfBest: walk.isOfBest, isCrowded: later.length > 0 }
}

/** Of a phrase that has no alternative every word must be there: a document that lacks one is not read. */
function withWholeWords(clause: Clause): Clause[] {
  const [only] = clause
  if (clause.length !== 1 || only?.kind !== 'phrase') return [clause]
  return wholeWordsOf(only).map((word) => [{ kind: 'word', word }])
}

/** Walks the listings of all sources that may fit, best first. */
class RankWalk {
  readonly #walks: Iterator<Entry>[]
  readonly #heads: (Entry | undefined)[]
  /** True if some of a word's documents are not looked at. */
  readonly cut: boolean

  readonly steps: Steps = { left: STEPS_MAX }
  /** True if the best of a prefix are walked in place of all its words. */
  readonly isOfBest: boolean

  constructor(sources: readonly Source[], query: Query, ofBest: boolean) {
    const plans = sources.map((source) => source.plan(query, ofBest))
    // The clause of which the fewest documents have anything, over all sources.
    let driver = -1
    let least = Number.POSITIVE_INFINITY
    for (let clause = 0; clause < query.clauses.length; clause++) {
      const count = plans.reduce((sum, plan) => sum + (plan.counts[clause] ?? 0), 0)
      if (count < least) [driver, least] = [clause, count]
    }
    this.cut = plans.some((plan) => plan.isCut(driver))
    this.isOfBest = plans.some(({ isOfBest }) => isOfBest)
    this.#walks = plans.map((plan) => plan.entries(driver, this.steps))
    this.#heads = this.#walks.map(advance)
  }

  next(): Entry | undefined {
    let best = -1
    for (let index = 0; index < this.#heads.length; index++) {
      const head = this.#heads[index]
      if (head === undefined) continue
      const other = best < 0 ? undefined : this.#heads[best]
      if (other === undefined || compareEntries(head, other) < 0) best = index
    }
    const walk = this.#walks[best]
    if (walk === undefined) return undefined
    const entry = this.#heads[best]
    this.#heads[best] = advance(walk)
    return entry
  }
}

const advance = (walk: Iterator<Entry>): Entry | undefined => {
  const { value, done } = walk.next()
  return done === true ? undefined : value
}
