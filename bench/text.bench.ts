import { keywordsOf } from '../src/projections/keyword-index/text/index.ts'
import { eachWord } from '../src/projections/keyword-index/text/tokenizer.ts'
import type { Bench } from './harness.ts'
import { makeTitles } from './search-corpus.ts'

// How fast titles become words, beside Intl.Segmenter's words over the same titles: of a rebuild of the index this is the
// greatest part.

const SEED = 20
/** Titles for `Intl.Segmenter`: it is slow, so that a smaller sample is enough to measure it. */
const SEGMENTED_MAX = 20_000

const bench: Bench = async ({ full, medians, note, report }) => {
  const count = full ? 1_000_000 : 100_000
  const all = makeTitles(count, SEED).map(({ title }) => title)
  const ascii = all.filter((title) => /^\p{ASCII}*$/u.test(title))
  const other = all.filter((title) => !/^\p{ASCII}*$/u.test(title))
  note(`${count.toLocaleString('en')} invented titles, seed ${SEED}, ${other.length.toLocaleString('en')} of them beyond ASCII`)

  const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
  const segment = (title: string, take: (word: string) => void): void => {
    for (const { segment, isWordLike } of segmenter.segment(title)) if (isWordLike === true) take(segment.toLowerCase())
  }
  let letters = 0
  const take = (word: string): void => {
    letters += word.length
  }
  // By processor time: what else the machine does counts less.
  const rate = async (titles: readonly string[], run: (title: string) => void): Promise<number> => {
    const before = process.cpuUsage()
    for (const title of titles) run(title)
    const { user, system } = process.cpuUsage(before)
    return (titles.length / (user + system)) * 1_000_000
  }
  const some = (titles: readonly string[]): readonly string[] => titles.slice(0, SEGMENTED_MAX)

  const rates = await medians({
    words: () => rate(ascii, (title) => void eachWord(title, take)),
    keywords: () => rate(ascii, (title) => void keywordsOf(title)),
    segmenter: () => rate(some(ascii), (title) => segment(title, take)),
    otherWords: () => rate(other, (title) => void eachWord(title, take)),
    otherSegmenter: () => rate(some(other), (title) => segment(title, take)),
  })
  const beside = (value: number) => ({ against: { name: 'Intl.Segmenter', value } })
  report({
    ...{ name: 'words of ASCII titles', value: rates.words, unit: 'titles/s', target: { atLeast: 300_000 } },
    ...beside(rates.segmenter),
  })
  report({ name: 'distinct keywords of ASCII titles', value: rates.keywords, unit: 'titles/s', ...beside(rates.segmenter) })
  report({ name: 'words of other titles', value: rates.otherWords, unit: 'titles/s', ...beside(rates.otherSegmenter) })
  const keywords = all.reduce((sum, title) => sum + keywordsOf(title).length, 0)
  report({ name: 'keywords of a title', value: keywords / all.length, unit: 'a title' })
  if (letters === 0) throw new Error('there are no words')
}

export default bench
