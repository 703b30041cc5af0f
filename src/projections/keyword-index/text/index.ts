// text: what words a title has, and what a query asks of it; pure. Folding of letters (`fold`), pieces and the names that
// releases have in common (`tokenizer`, `aliases`), the query language (`query`, `terms`, `filters`), whether a title fits
// (`matching`), what kind of thing it is (`category`). Imports events only.
export { CATEGORIES, type Category, categoryOf } from './category.ts'
export { canSlip, isOneSlip, SAME_BEGINNING, slipsOfBeginning } from './edits.ts'
export { type Filter, type FilteredTorrent, passes } from './filters.ts'
export { hashKeyword } from './info-hash.ts'
export { fitOf, hasPhrase, type TitleWords, titleFit, titleForm, titlesMatch, titleWords } from './matching.ts'
export { FILTERS_MAX, parseQuery, QUERY_LENGTH_MAX, type Query, type QueryProblem } from './query.ts'
export { WORD_LENGTH_MAX } from './reader.ts'
export { type Clause, type Term, WORDS_MAX, wholeWordsOf } from './terms.ts'
export { keywordsOf, TOKENIZER_VERSION, type Token, titleTokens } from './tokenizer.ts'
