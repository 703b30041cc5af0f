/** Keywords of which something is remembered: the ten thousand commonest make up nearly all that is searched for. */
export const KEYWORDS_MAX = 10_000

/**
 * In how many documents keywords are, as owners of their partitions said last: what tells a rare word of a query from a common
 * one. A keyword that nobody has said anything of is taken for rare: its owner is asked, and tells.
 */
export class KeywordFrequencies {
  /** The one that was told last at the end. */
  readonly #documents = new Map<string, number>()

  note(keyword: string, documents: number): void {
    this.#documents.delete(keyword)
    this.#documents.set(keyword, documents)
    const [oldest] = this.#documents.keys()
    if (this.#documents.size > KEYWORDS_MAX && oldest !== undefined) this.#documents.delete(oldest)
  }

  of(keyword: string): number | undefined {
    return this.#documents.get(keyword)
  }
}
