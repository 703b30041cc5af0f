import type { InfoHash, NodeId } from '../src/events/index.ts'
import {
  hashKeyword,
  keywordsOf,
  OWNER_COUNT,
  ownersOf,
  PARTITION_COUNT,
  partitionOf,
} from '../src/projections/keyword-index/index.ts'
import { type Candidate, keptOf } from '../src/projections/keyword-index/keeping.ts'
import { rankOf } from '../src/projections/keyword-index/segments/entries.ts'
import type { Random, Title } from './search-corpus.ts'

// Who keeps which title in a network of so many index nodes: by the product's own keywords, partitions, owners and policy of
// keeping. Every owner has heard of everything, as owners do that are level.

/** A title as index nodes rank it. `party`: who answers for whoever published it. */
export type Publication = Title & {
  readonly ordinal: number
  readonly infoHash: InfoHash
  readonly party: number
  /** Parties that hold it. */
  readonly backers: number
  readonly isSpam: boolean
}

export type PlannedTitle = Title & Pick<Publication, 'party' | 'backers' | 'isSpam'>

export type Corpus = {
  readonly publications: readonly Publication[]
  /** Keywords of each publication by their numbers, but for that of its info hash. */
  readonly keywords: readonly Uint32Array[]
  readonly words: readonly string[]
  readonly numberOf: ReadonlyMap<string, number>
  /** Publications of each keyword, best first. */
  readonly lists: readonly Uint32Array[]
}

const infoHashOf = (ordinal: number): InfoHash => {
  const hex = Math.imul(ordinal + 1, 0x9e3779b1) >>> 0
  return `${hex.toString(16).padStart(8, '0')}${ordinal.toString(16).padStart(32, '0')}` as InfoHash
}

/** Parties of which one has published a thousand times what another has: a harmonic law, as of release groups. */
export const partyOf = (random: Random, parties: number): number => Math.floor(parties ** random()) - 1

/** Half of its seeders are of parties of their own. */
export const backersOf = ({ seeders }: Title, parties: number): number => 1 + Math.min(parties, seeders >> 1)

/** Titles of the commonest words, by every third or fourth publisher, each backed by so many others of these. */
export function spamOf(
  titles: readonly PlannedTitle[],
  { share, parties, backers, random }: { share: number; parties: number; backers: number; random: Random },
): PlannedTitle[] {
  const counts = new Map<string, number>()
  for (const { title } of titles.slice(0, SPAM_SAMPLE))
    for (const word of keywordsOf(title)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const common = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, SPAM_WORDS)
    .map(([word]) => word)
  const spammers = Array.from({ length: parties }, (_, party) => party).filter((party) => party % 10 < SPAMMERS_IN_TEN)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  return Array.from({ length: Math.floor(titles.length * share) }, (_, at) => ({
    title: `${Array.from({ length: SPAM_LENGTH }, () => pick(common)).join(' ')} buy${at % 1000}`,
    sizeBytes: 1e9,
    seeders: backers,
    ...{ party: pick(spammers), backers: 1 + backers, isSpam: true },
  }))
}
const SPAM_SAMPLE = 50_000
const SPAM_WORDS = 150
const SPAM_LENGTH = 8
const SPAMMERS_IN_TEN = 3

export const candidateOf = ({ backers, seeders, ordinal, party }: Publication): Candidate => ({
  rank: rankOf(backers, Math.max(backers, seeders), ordinal),
  party: String(party),
})

/** Takes titles apart, and puts the list of each keyword in order. */
export function corpusOf(titles: readonly PlannedTitle[]): Corpus {
  const numberOf = new Map<string, number>()
  const words: string[] = []
  const counts: number[] = []
  const publications = titles.map((title, ordinal): Publication => ({ ...title, ordinal, infoHash: infoHashOf(ordinal) }))
  const keywords = publications.map(({ title }) =>
    Uint32Array.from(keywordsOf(title), (word) => {
      let number = numberOf.get(word)
      if (number === undefined) {
        number = words.push(word) - 1
        numberOf.set(word, number)
      }
      counts[number] = (counts[number] ?? 0) + 1
      return number
    }),
  )
  const lists = counts.map((count) => new Uint32Array(count))
  const ends = new Uint32Array(words.length)
  const ranks = publications.map((one) => candidateOf(one).rank)
  const byRank = Uint32Array.from(publications, ({ ordinal }) => ordinal).sort(
    (a, b) => (ranks[b] as number) - (ranks[a] as number),
  )
  for (const ordinal of byRank) {
    for (const word of keywords[ordinal] ?? []) {
      const end = ends[word] ?? 0
      const list = lists[word]
      if (list !== undefined) list[end] = ordinal
      ends[word] = end + 1
    }
  }
  return { publications, keywords, words, numberOf, lists }
}

/** For each keyword that more have than there are places, those that are kept. */
export type Keeping = ReadonlyMap<number, ReadonlySet<number>>

export function keepingOf({ lists, publications }: Corpus, places: number): Keeping {
  const keeping = new Map<number, ReadonlySet<number>>()
  for (const [word, list] of lists.entries()) {
    if (list.length <= places) continue
    const { kept } = keptOf([...list], (ordinal) => candidateOf(publications[ordinal] as Publication), places)
    keeping.set(word, kept)
  }
  return keeping
}

export const indexNodes = (count: number): NodeId[] =>
  Array.from({ length: count }, (_, number) => {
    // Keys of nodes are random: here as random as the hash of partitions.
    return (partitionOf(`node ${number}`).toString(16).padStart(4, '0') + number.toString(16).padStart(60, '0')) as NodeId
  })

/** Owners of every partition, by their places among `nodes`. */
export function ownersOfAll(nodes: readonly NodeId[], count = OWNER_COUNT): number[][] {
  const placeOf = new Map(nodes.map((node, place) => [node, place]))
  return Array.from({ length: PARTITION_COUNT }, (_, partition) =>
    ownersOf(partition, nodes, count).map((node) => placeOf.get(node) as number),
  )
}

export type Placement = { readonly corpus: Corpus; readonly keeping: Keeping; readonly partitions: Uint16Array }

export function placementOf(corpus: Corpus, places: number): Placement {
  return { corpus, keeping: keepingOf(corpus, places), partitions: Uint16Array.from(corpus.words, partitionOf) }
}

/** Partitions in which a publication is kept by its words. */
function* wordPartitionsOf({ corpus, keeping, partitions }: Placement, ordinal: number): Generator<number> {
  for (const word of corpus.keywords[ordinal] ?? []) {
    const kept = keeping.get(word)
    if (kept === undefined || kept.has(ordinal)) yield partitions[word] as number
  }
}

const hashPartitionOf = ({ corpus }: Placement, ordinal: number): number =>
  partitionOf(hashKeyword((corpus.publications[ordinal] as Publication).infoHash))

/** The nodes that keep a publication. */
export function holdersOf(placement: Placement, ordinal: number, owners: readonly number[][]): Set<number> {
  const holders = new Set(owners[hashPartitionOf(placement, ordinal)])
  for (const partition of wordPartitionsOf(placement, ordinal)) for (const node of owners[partition] ?? []) holders.add(node)
  return holders
}

/** Copies a title, the share of all titles on the fullest node, and the share of titles that nobody keeps. */
export type Load = { readonly copies: number; readonly fullest: number; readonly homeless: number }

/** `whole`: as it is; `byWords`: if the owners of info hashes kept nothing for that. */
export function loadOf(placement: Placement, owners: readonly number[][], nodeCount: number): { whole: Load; byWords: Load } {
  const count = placement.corpus.publications.length
  const [whole, byWords] = [new Tally(nodeCount), new Tally(nodeCount)]
  // Who has been counted for which title: a set for each would be most of the work.
  const seen = new Int32Array(nodeCount).fill(-1)
  for (let ordinal = 0; ordinal < count; ordinal++) {
    let copies = 0
    for (const partition of wordPartitionsOf(placement, ordinal)) {
      for (const node of owners[partition] ?? []) {
        if (seen[node] === ordinal) continue
        seen[node] = ordinal
        copies += 1
        byWords.add(node)
        whole.add(node)
      }
    }
    if (copies === 0) byWords.homeless += 1
    for (const node of owners[hashPartitionOf(placement, ordinal)] ?? []) if (seen[node] !== ordinal) whole.add(node)
  }
  return { whole: whole.load(count), byWords: byWords.load(count) }
}

class Tally {
  readonly #perNode: Uint32Array
  #copies = 0
  homeless = 0

  constructor(nodeCount: number) {
    this.#perNode = new Uint32Array(nodeCount)
  }

  add(node: number): void {
    this.#perNode[node] = (this.#perNode[node] as number) + 1
    this.#copies += 1
  }

  load(titles: number): Load {
    return {
      copies: this.#copies / titles,
      fullest: this.#perNode.reduce((most, count) => Math.max(most, count)) / titles,
      homeless: this.homeless / titles,
    }
  }
}
