import { isVisible, type TorrentDocument, type WordEntry } from './documents.ts'
import { type FilteredTorrent, hasPhrase, passes, type Query, type Term, wholeWordsOf } from './text/index.ts'

// Whether a document is what a query asks for.

type Test = (document: TorrentDocument) => boolean

const NEVER: Test = () => false

function testOf(term: Term, wordOf: (word: string) => WordEntry | undefined): Test {
  switch (term.kind) {
    case 'word': {
      const entry = wordOf(term.word)
      // The same object wherever the word stands: no need to compare letters for each of ten thousand documents.
      return entry === undefined ? NEVER : (document) => document.words.includes(entry)
    }
    case 'prefix':
      return (document) => document.words.some(({ word }) => word.startsWith(term.word))
    case 'phrase': {
      const entries = wholeWordsOf(term).map(wordOf)
      if (entries.includes(undefined)) return NEVER
      return (document) =>
        entries.every((entry) => entry !== undefined && document.words.includes(entry)) &&
        document.description !== undefined &&
        hasPhrase(document.description.title, term)
    }
    case 'infohash':
      return (document) => document.infoHash === term.infoHash
  }
}

const filteredOf = ({ description, seeders }: TorrentDocument): FilteredTorrent => ({
  title: description?.title ?? '',
  sizeBytes: description?.sizeBytes ?? 0,
  tags: description?.tags ?? [],
  seeders,
})

/** The test that a query puts to documents; `wordOf` finds the entry of a word that is in the index. */
export function testOfQuery(query: Query, wordOf: (word: string) => WordEntry | undefined): Test {
  const clauses = query.clauses.map((terms) => terms.map((term) => testOf(term, wordOf)))
  const without = query.without.map((term) => testOf(term, wordOf))
  return (document) =>
    isVisible(document) &&
    clauses.every((tests) => tests.some((test) => test(document))) &&
    query.filters.every((filter) => passes(filteredOf(document), filter)) &&
    !without.some((test) => test(document))
}
