import { type InfoHash, type NodeId, OPEN_PARTY } from '../../events/index.ts'
import type { HeldDocument } from './document-store.ts'
import { type KeywordIndexState, partyIn } from './index-state.ts'
import { type Candidate, type Cut, keptOf } from './keeping.ts'
import { documentFrequency } from './search.ts'
import { compareEntries, type Entry } from './segments/entries.ts'

// The lists of keywords that more documents have than an owner has places for, and what is lost with a place in them. All of it is
// computed from what is listed, when it is asked for, and nothing of it is in a row or a digest.

/** Entries or words between two turns. */
const STEP = 256

/** Words under which at least `min` documents are listed, about, as `documentFrequency` has it. In turns: undefined is one. */
export function* crowdedWords(state: KeywordIndexState, min: number): Generator<string | undefined> {
  const { listings } = state
  const memtables = [...(listings.frozen === undefined ? [] : [listings.frozen.memtable]), listings.memtable]
  const { segments } = listings
  // A word that many have has many in one of them at least.
  const minOfOne = min / Math.max(1, segments.length + memtables.length)
  const seen = new Set<string>()
  let steps = 0
  for (const segment of segments) {
    for (const { term, count } of segment.terms('w')) {
      if (steps++ % STEP === STEP - 1) yield undefined
      if (count >= minOfOne) seen.add(term)
    }
  }
  for (const memtable of memtables) {
    for (const word of memtable.words()) {
      if (steps++ % STEP === STEP - 1) yield undefined
      if (memtable.list(word).length >= minOfOne) seen.add(word)
    }
  }
  for (const word of seen) yield documentFrequency(state, word) >= min ? word : undefined
}

/** A party as places are shared out: strangers have no more in common than that nobody answers for them. */
export function placeOwner(state: KeywordIndexState, author: NodeId): string | undefined {
  const party = partyIn(state, author)
  return party === OPEN_PARTY ? author : party
}

/** What holds of a word's list: how many are listed, those without a place, and where it was cut. */
export type CutList = { readonly listed: number; readonly lost: ReadonlySet<number>; readonly cut: Cut | undefined }

/**
 * The documents of a word that have no place among its best, by ordinal. Documents of authors who count for nothing want none, and
 * lose none: they go by another rule.
 */
export function* cutList(state: KeywordIndexState, word: string, places: number): Generator<undefined, CutList> {
  const { listings, authors } = state
  const entries: Entry[] = []
  let steps = 0
  for (const segment of [...listings.segments]) {
    yield undefined
    const list = segment.list('w', word)
    if (list === undefined) continue
    const cursor = segment.cursor(list)
    for (let place = cursor.seek(0); place < segment.mark.entries; place = cursor.seek(place + 1)) {
      if (steps++ % STEP === STEP - 1) yield undefined
      const entry = segment.entry(place)
      if (!listings.serials.isDead(entry.serial)) entries.push(entry)
    }
  }
  const memtables = [...(listings.frozen === undefined ? [] : [listings.frozen.memtable]), listings.memtable]
  for (const memtable of memtables)
    for (const entry of memtable.list(word)) if (!listings.serials.isDead(entry.serial)) entries.push(entry)
  yield undefined
  const parties = new Map<number, string | undefined>()
  const partyOf = (author: number): string | undefined => {
    if (!parties.has(author)) {
      const id = authors.idOf(author)
      parties.set(author, id && placeOwner(state, id))
    }
    return parties.get(author)
  }
  // A document that was listed anew meanwhile stands in two of them.
  const latest = new Map(entries.sort((a, b) => a.serial - b.serial).map((entry) => [entry.ordinal, entry]))
  const wanting = [...latest.values()].filter(({ author }) => partyOf(author) !== undefined).sort(compareEntries)
  const candidateOf = ({ rank, author }: Entry): Candidate => ({ rank, party: partyOf(author) ?? '' })
  const { kept, cut } = keptOf(wanting, candidateOf, places)
  const lost = new Set(wanting.flatMap((entry) => (kept.has(entry) ? [] : [entry.ordinal])))
  return { listed: wanting.length, lost, cut }
}

/** The partitions of all titles that anybody gave a torrent, that of its info hash among them. */
export const partitionsOfDocument = ({ offers }: HeldDocument): Set<number> =>
  new Set(offers.flatMap(({ placed }) => placed.flatMap(({ partitions }) => partitions)))

/** A torrent as it is offered here, counted together with those who say that they offer it and were sent away. */
export function isKnown(state: KeywordIndexState, infoHash: InfoHash): boolean {
  return (state.documents.find(infoHash)?.offers.length ?? 0) > 0
}
