import {
  BoundedMap,
  type InfoHash,
  type NodeId,
  OPEN_PARTY,
  readableEvent,
  type ScannedBody,
  type Upcast,
} from '../../events/index.ts'
import {
  CUT_AT,
  type Cut,
  type CutList,
  countPlace,
  crowdedWords,
  cutList,
  documentFrequency,
  hashKeyword,
  isKnown,
  type KeywordIndexState,
  OWNER_COUNT,
  PARTITION_COUNT,
  PLACES_A_KEYWORD,
  partitionOf,
  partitionsOfDocument,
  placeOwner,
  rankOf,
  wouldKeep,
} from '../../projections/keyword-index/index.ts'
import type { Turns } from '../../projections/turns.ts'
import type { IndexMap } from './index-map.ts'
import type { EventName } from './index-messages.ts'

/** Torrents that were sent away of which it is remembered who offered them, and so many of those. */
export const TURNED_AWAY_MAX = 4_096
const OFFERERS_MAX = 256
/** Events that were sent away: they are not fetched from other owners again. */
const DECLINED_MAX = 65_536
/** Lists that are kept while the places of one round are given out. */
const LISTS_MAX = 32
/** Torrents that are let go of in one round: each is a row that is read, and an event or more that goes from the log. */
const DROPPED_MAX = 20_000

export type TitlePlacesOptions = {
  index(): KeywordIndexState
  map: Pick<IndexMap, 'keywordsOf' | 'ownersOf' | 'rankedOwners'>
  own: NodeId
  upcast: Upcast
  newTurns(): Turns
  /**
   * Takes out of the log, and then of the states, all that others said of these torrents. Nothing is said of them meanwhile.
   * Left out where a log keeps everything: then nothing is let go of.
   */
  drop?: ((torrents: ReadonlySet<InfoHash>) => Promise<number>) | undefined
  /** Documents of a keyword that are kept. */
  places?: number
  /** Torrents that are let go of in one round; the next one goes on. */
  droppedMax?: number
}

/** `kept`: of `known` documents with this word, as many as there are places. */
export type WordPlaces = { readonly kept: number; readonly known: number }

/**
 * Which titles this owner keeps: the best of each keyword, and so each title that is among the best of any keyword that it owns. One that
 * has a place nowhere is sent away at the door; what falls out later is let go of, round by round. All that is remembered here is in
 * memory and follows from the index; the log and the projections know nothing of it but what they never had.
 * See docs/adr/0031-best-of-a-keyword.md.
 */
export class TitlePlaces {
  readonly #options: TitlePlacesOptions
  readonly #places: number
  readonly #droppedMax: number
  readonly #cuts = new Map<string, Cut>()
  /** Documents of each word that was cut: as many as were listed after that. */
  readonly #listed = new Map<string, number>()
  /** Documents of each word that were let go of or sent away. */
  readonly #gone = new Map<string, number>()
  readonly #turnedAway = new BoundedMap<InfoHash, Map<NodeId, string>>(TURNED_AWAY_MAX)
  readonly #declined = new BoundedMap<string, true>(DECLINED_MAX)
  #leaving: ReadonlySet<InfoHash> = new Set()
  readonly #underWay = new Set<Promise<unknown>>()
  #postings = Number.NEGATIVE_INFINITY

  constructor(options: TitlePlacesOptions) {
    this.#options = options
    this.#places = options.places ?? PLACES_A_KEYWORD
    this.#droppedMax = options.droppedMax ?? DROPPED_MAX
  }

  /**
   * Whether a signed event of the index stream is taken: what is said of a torrent that is here, what takes one back, and what has a
   * place. Of one that has none it is remembered who offers it: their number is its rank, and gives it a place later.
   */
  takes(scanned: ScannedBody): boolean {
    if (this.#cuts.size === 0 && this.#leaving.size === 0) return true
    const said = readableEvent(scanned, this.#options.upcast)
    if (said.kind !== 'torrent.published' && said.kind !== 'torrent.verified') return true
    const { infoHash, title } = said
    const isTaken = !this.#leaving.has(infoHash) && this.#hasPlace(infoHash, title, scanned)
    if (!isTaken) this.#declined.set(nameOf(scanned), true)
    return isTaken
  }

  /** True for what was sent away not long ago: another owner may keep it, and is not asked for it. */
  isDeclined(name: EventName): boolean {
    return this.#declined.has(nameOf(name))
  }

  /** True where a list of this partition has been cut: its owners may differ in what is near the boundary. */
  isCut(partition: number): boolean {
    for (const word of this.#cuts.keys()) if (partitionOf(word) === partition) return true
    return false
  }

  /** How many documents of a word are kept, and how many are known; undefined where that is all of them. */
  of(word: string): WordPlaces | undefined {
    if (!this.#cuts.has(word)) return undefined
    return { kept: this.#places, known: (this.#listed.get(word) ?? 0) + (this.#gone.get(word) ?? 0) }
  }

  /** What takes in events lets this wait for it: nothing that was let through at the door comes after its torrent was let go of. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  /**
   * Looks at the lists that have grown beyond their places, and lets go of what has lost its last place.
   * @returns how many events went
   */
  async round(signal?: AbortSignal): Promise<number> {
    const { index, drop } = this.#options
    const { postings } = index().counters
    // Nothing can have outgrown its places since.
    if (postings - this.#postings < (CUT_AT - 1) * this.#places) return 0
    // Each title has the place of its info hash.
    if (this.#ownsAll()) return 0
    try {
      const lost = await this.#lost(signal)
      this.#leaving = lost
      if (lost.size === 0 || drop === undefined) {
        this.#postings = postings
        return 0
      }
      await Promise.allSettled([...this.#underWay])
      const events = await drop(lost)
      // Where it let go of all that it may in one round, there may be more.
      if (lost.size < this.#droppedMax) this.#postings = index().counters.postings
      return events
    } finally {
      this.#leaving = new Set()
    }
  }

  #ownsAll(): boolean {
    const { map, own } = this.#options
    for (let partition = 0; partition < PARTITION_COUNT; partition++)
      if (!map.rankedOwners(partition, OWNER_COUNT).includes(own)) return false
    return true
  }

  #hasPlace(infoHash: InfoHash, title: string, { author, lamport }: ScannedBody): boolean {
    const { index, map, own } = this.#options
    const state = index()
    if (isKnown(state, infoHash)) return true
    const party = placeOwner(state, author)
    // Of whom it is not known whether they count, the log decides.
    if (party === undefined) return true
    const owned = map.keywordsOf(infoHash, title).filter((word) => map.ownersOf(word).includes(own))
    const cuts = owned.flatMap((word) => this.#cuts.get(word) ?? [])
    if (cuts.length < owned.length || owned.length === 0) return true
    const offerers = this.#turnedAway.get(infoHash) ?? new Map<NodeId, string>()
    // Strangers have a place each, and are one party as seeders: so the index ranks what they hold.
    if (offerers.size < OFFERERS_MAX) offerers.set(author, party === author ? OPEN_PARTY : party)
    const candidate = { rank: rankOf(new Set(offerers.values()).size, offerers.size, lamport), party }
    const open = cuts.filter((cut) => wouldKeep(cut, candidate))
    for (const cut of open) countPlace(cut, candidate)
    // Who offers it is remembered still: what others say of it may come before this is in the index.
    if (open.length > 0) return true
    if (!this.#turnedAway.has(infoHash)) for (const word of owned) this.#gone.set(word, (this.#gone.get(word) ?? 0) + 1)
    this.#turnedAway.set(infoHash, offerers)
    return false
  }

  /** Torrents that are among the best of no keyword that this node owns. */
  async #lost(signal: AbortSignal | undefined): Promise<Set<InfoHash>> {
    const { index, map, own } = this.#options
    const state = index()
    const turns = this.#options.newTurns()
    const lost = new Set<InfoHash>()
    const lists = new BoundedMap<string, CutList>(LISTS_MAX)
    const pause = async () => {
      if (turns.isOver) await turns.next()
      signal?.throwIfAborted()
      if (index() !== state) throw new Error('the index was made again meanwhile')
    }
    /** Goes through steps that read segments, from the beginning where these were merged between two of them. */
    const walked = async <T, R>(begin: () => Generator<T, R>, take: (step: T) => void = () => {}): Promise<R> => {
      for (;;) {
        const { segments } = state.listings
        const steps = begin()
        while (state.listings.segments === segments) {
          const { value, done } = steps.next()
          if (done === true) return value
          take(value)
          await pause()
        }
      }
    }
    const listOf = async (word: string): Promise<CutList> => {
      const known = lists.get(word)
      if (known !== undefined) return known
      const list = await walked(() => cutList(state, word, this.#places))
      lists.set(word, list)
      if (list.cut === undefined) this.#cuts.delete(word)
      else this.#cuts.set(word, list.cut)
      return list
    }
    /** Those that have a place somewhere, as was seen in this round. */
    const placed = new Set<number>()
    const crowded = new Set<string>()
    await walked(
      () => crowdedWords(state, this.#places + 1),
      (word) => word !== undefined && crowded.add(word),
    )
    for (const word of crowded) {
      await pause()
      if (!map.ownersOf(word).includes(own)) continue
      const cutBefore = Math.max(this.#places, this.#listed.get(word) ?? 0)
      if (this.#cuts.has(word) && documentFrequency(state, word) < CUT_AT * cutBefore) continue
      const list = await listOf(word)
      // Near the boundary nothing comes and goes: only when a fifth has come is it cut again.
      if (!this.#listed.has(word)) this.#listed.set(word, Math.min(list.listed, this.#places))
      if (list.listed < CUT_AT * cutBefore) continue
      let gone = 0
      for (const ordinal of list.lost) {
        await pause()
        // The next round begins with the same list.
        if (lost.size >= this.#droppedMax) return lost
        if (placed.has(ordinal)) continue
        const infoHash = await this.#withoutPlace(ordinal, listOf)
        if (infoHash === undefined) {
          placed.add(ordinal)
          continue
        }
        lost.add(infoHash)
        gone += 1
      }
      this.#listed.set(word, list.listed - gone)
      this.#gone.set(word, (this.#gone.get(word) ?? 0) + gone)
    }
    for (const known of [this.#cuts, this.#listed, this.#gone])
      for (const word of known.keys()) if (!map.ownersOf(word).includes(own)) known.delete(word)
    return lost
  }

  /** Its info hash, if this torrent has lost its place in every list that this node owns. */
  async #withoutPlace(ordinal: number, listOf: (word: string) => Promise<CutList>): Promise<InfoHash | undefined> {
    const { index, map, own } = this.#options
    const document = index().documents.at(ordinal)
    if (document === undefined || document.offers.some(({ author }) => author === own)) return undefined
    const { infoHash, keywords } = document
    if (map.ownersOf(hashKeyword(infoHash)).includes(own)) return undefined
    const left = new Set<number>()
    for (const word of keywords) {
      if (!map.ownersOf(word).includes(own)) continue
      if (!(await listOf(word)).lost.has(ordinal)) return undefined
      left.add(partitionOf(word))
    }
    // Other titles that somebody gave it have places of their own.
    const isElsewhere = [...partitionsOfDocument(document)].some(
      (partition) => !left.has(partition) && map.rankedOwners(partition, OWNER_COUNT).includes(own),
    )
    return isElsewhere ? undefined : infoHash
  }
}

const nameOf = ({ author, authorSeq }: EventName): string => `${author}/${authorSeq}`
