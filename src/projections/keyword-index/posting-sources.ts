import { compareEntries, type Entry } from './segments/entries.ts'
import type { ListedEntry, Memtable } from './segments/memtable.ts'
import { PREFIX_LENGTH_MAX, PREFIX_POSTINGS_MAX } from './segments/memtable.ts'
import { END, type PostingCursor, type PostingHead } from './segments/postings.ts'
import type { Segment } from './segments/segment.ts'
import { type Query, type Term, wholeWordsOf } from './text/index.ts'

/** Words that a prefix stands for, the commonest ones. */
const PREFIX_WORDS_MAX = 200

/** Where documents are listed under words: a segment, or what is in memory. */
export type Source = {
  /** @param ofBest of a prefix the best documents make do, where nothing else of the query can say no to one */
  plan(query: Query, ofBest: boolean): SourcePlan
}

export type SourcePlan = {
  /** Of each clause, how many documents have one of its terms, at most. */
  readonly counts: readonly number[]
  /** The best documents of some prefix stand for all. */
  readonly isOfBest: boolean
  /** True if not all documents of a clause are walked. */
  isCut(clause: number): boolean
  /** Documents of a clause, or all where it is none, that may have the others too, best first, as far as `steps` last. */
  entries(clause: number, steps: Steps): Iterator<Entry>
}

/** Places that may still be looked for in lists. */
export type Steps = { left: number }

/** Words of a prefix in one source: all, or the commonest. */
function wordsOf(words: Iterable<{ readonly term: string; readonly count: number }>): { terms: string[]; isCut: boolean } {
  const all = [...words]
  if (all.length <= PREFIX_WORDS_MAX) return { terms: all.map(({ term }) => term), isCut: false }
  all.sort((a, b) => b.count - a.count || (a.term < b.term ? -1 : 1))
  return { terms: all.slice(0, PREFIX_WORDS_MAX).map(({ term }) => term), isCut: true }
}

/** The lists that hold all documents of a clause. `isCut`: not all of them. */
type Lists = { readonly lists: readonly PostingHead[]; readonly isCut: boolean; readonly isOfBest?: boolean }

export function segmentSource(segment: Segment): Source {
  const listsOf = (term: Term, ofBest: boolean): Lists => {
    switch (term.kind) {
      case 'word':
        return listOf(segment.list('w', term.word))
      case 'phrase': {
        const lists = wholeWordsOf(term).map((word) => segment.list('w', word))
        if (lists.includes(undefined)) return { lists: [], isCut: false }
        return listOf(lists.reduce((a, b) => ((b?.count ?? 0) < (a?.count ?? 0) ? b : a)))
      }
      case 'infohash':
        // Found without a list, see candidates.ts.
        return { lists: [], isCut: false }
      case 'prefix': {
        if (term.word.length <= PREFIX_LENGTH_MAX) {
          const best = segment.list('e', term.word)
          if (best === undefined || best.count < PREFIX_POSTINGS_MAX) return listOf(best)
          if (ofBest) return { lists: [best], isCut: true, isOfBest: true }
        }
        const { terms, isCut } = wordsOf(segment.terms('w', term.word))
        return { lists: terms.flatMap((word) => listOf(segment.list('w', word)).lists), isCut }
      }
    }
  }
  return {
    plan({ clauses, filters, without }, ofBest) {
      // Where nothing else can say no to a document, the best of a prefix are enough.
      const isPlain = clauses.length === 1 && filters.length === 0 && without.length === 0
      const lists = clauses.map((terms) => {
        const each = terms.map((term) => listsOf(term, isPlain && ofBest))
        return {
          lists: each.flatMap((one) => one.lists),
          isCut: each.some((one) => one.isCut),
          isOfBest: each.some((one) => one.isOfBest === true),
        }
      })
      return {
        counts: lists.map((one) => one.lists.reduce((sum, { count }) => sum + count, 0)),
        isOfBest: lists.some((one) => one.isOfBest),
        isCut: (clause) => lists[clause]?.isCut ?? false,
        entries: (clause, steps) => segmentEntries(segment, lists, clause, steps),
      }
    },
  }
}

const listOf = (list: PostingHead | undefined): Lists => ({ lists: list === undefined ? [] : [list], isCut: false })

/** Leapfrog over the lists of all clauses. Source: Veldhuizen, Leapfrog triejoin, 2014, for lists of one attribute. */
function* segmentEntries(segment: Segment, clauses: readonly Lists[], driver: number, steps: Steps): Generator<Entry> {
  const chosen = clauses[driver]
  if (chosen === undefined) {
    for (let place = 0; place < segment.mark.entries; place++) yield segment.entry(place)
    return
  }
  const others = clauses.filter(({ isCut }, index) => index !== driver && !isCut).map(({ lists }) => union(segment, lists))
  const first = union(segment, chosen.lists)
  for (let place = first(0); place !== END && steps.left > 0; ) {
    let agreed = place
    steps.left -= 1
    for (const other of others) {
      agreed = other(place)
      if (agreed !== place) break
    }
    if (agreed === END) return
    if (agreed === place) {
      yield segment.entry(place)
      place = first(place + 1)
    } else place = first(agreed)
  }
}

/** The first place at or after one that any of the lists has. */
function union(segment: Segment, lists: readonly PostingHead[]): (place: number) => number {
  const [only] = lists
  if (lists.length === 1 && only !== undefined) {
    const cursor = segment.cursor(only)
    return (place) => cursor.seek(place)
  }
  const cursors: { readonly cursor: PostingCursor; at: number }[] = lists.map((list) => ({
    cursor: segment.cursor(list),
    at: -1,
  }))
  return (place) => {
    let least = END
    for (const one of cursors) {
      if (one.at < place) one.at = one.cursor.seek(place)
      if (one.at < least) least = one.at
    }
    return least
  }
}

export function memtableSource(memtable: Memtable): Source {
  const wordsOfTerm = (term: Term): { words: readonly string[]; isCut: boolean } => {
    if (term.kind === 'word') return { words: [term.word], isCut: false }
    if (term.kind === 'prefix') {
      const { terms, isCut } = wordsOf(memtable.wordsWith(term.word))
      return { words: terms, isCut }
    }
    if (term.kind === 'infohash') return { words: [], isCut: false }
    const rarest = wholeWordsOf(term).reduce((a, b) => (memtable.count(b) < memtable.count(a) ? b : a))
    return { words: [rarest], isCut: false }
  }
  return {
    plan({ clauses }) {
      const lists = clauses.map((terms) => {
        const each = terms.map(wordsOfTerm)
        return { words: [...new Set(each.flatMap(({ words }) => words))], isCut: each.some(({ isCut }) => isCut) }
      })
      return {
        isOfBest: false,
        counts: lists.map(({ words }) => words.reduce((sum, word) => sum + memtable.count(word), 0)),
        isCut: (clause) => lists[clause]?.isCut ?? false,
        entries: (clause) => entriesWith(memtable, lists[clause]?.words)[Symbol.iterator](),
      }
    },
  }
}

function entriesWith(memtable: Memtable, words: readonly string[] | undefined): readonly ListedEntry[] {
  if (words === undefined) return memtable.ranked()
  const [only] = words
  if (words.length === 1 && only !== undefined) return memtable.list(only)
  return [...new Set(words.flatMap((word) => memtable.list(word)))].sort(compareEntries)
}
