import { isVisible, type TorrentDocument } from './documents.ts'
import { type FilteredTorrent, hasPhrase, passes, type Query, type Term, wholeWordsOf } from './text/index.ts'

// Whether a document is what a query asks for.

type Test = (document: TorrentDocument) => boolean

function testOf(term: Term): Test {
  switch (term.kind) {
    case 'word':
      return ({ keywords }) => keywords.includes(term.word)
    case 'prefix':
      return ({ keywords }) => keywords.some((word) => word.startsWith(term.word))
    case 'phrase': {
      const words = wholeWordsOf(term)
      return ({ keywords, description }) =>
        description !== undefined && words.every((word) => keywords.includes(word)) && hasPhrase(description.title, term)
    }
    case 'infohash':
      return ({ infoHash }) => infoHash === term.infoHash
  }
}

const filteredOf = ({ description, keywords, seeders }: TorrentDocument): FilteredTorrent => ({
  title: description?.title ?? '',
  sizeBytes: description?.sizeBytes ?? 0,
  tags: description?.tags ?? [],
  keywords,
  seeders,
})

/** The test that a query puts to documents. */
export function testOfQuery(query: Query): Test {
  const clauses = query.clauses.map((terms) => terms.map(testOf))
  const without = query.without.map(testOf)
  return (document) =>
    isVisible(document) &&
    clauses.every((tests) => tests.some((test) => test(document))) &&
    query.filters.every((filter) => passes(filteredOf(document), filter)) &&
    !without.some((test) => test(document))
}
