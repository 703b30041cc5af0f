import { BoundedMap, type EventLog, type NodeId, type Timers, type VerifySignature } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import {
  type CompareReply,
  decodeCompareReply,
  decodeFetchReply,
  EVENT_NAMES_MAX,
  type EventName,
  encodeCompare,
  encodeFetch,
  INDEX_METHODS,
  SECTIONS_MAX,
  type SectionContent,
  type SectionDigest,
} from './index-messages.ts'
import { ingestIndexEvents } from './index-requests.ts'
import type { IndexView } from './index-view.ts'
import { LEVEL_BYTES, type PartitionLevels } from './partition-levels.ts'
import { childrenOf, type PartitionSections, SECTION_DEPTH_MAX, SECTION_FANOUT, type Section } from './partition-sections.ts'
import type { TitlePlaces } from './title-places.ts'

/** A round with one other owner so often, ms. */
const ROUND_MS = 10_000
/** And so soon after a round that brought something, or while this node is not level: there may be more. */
const NEXT_ROUND_MS = 1_000
/** And so soon while each round brings it nearer to that, ms. */
const LEVELLING_ROUND_MS = 50
/** Owners that differ in what only one of them has a place for compare that partition again after this time, ms. */
const SETTLED_MS = 10 * 60_000
const SETTLED_MAX = 8_192
const REQUEST_TIMEOUT_MS = 5_000
/** Comparisons and fetches of one round at most: the next round goes on. */
const COMPARES_MAX = 256
const FETCHES_MAX = 64
/** Digests made in one turn. */
const DIGESTS_IN_A_TURN = 32

export type RepairStatus = { lastAt: number | null; fetched: number; inSync: boolean }

export type RepairOptions = {
  log: Pick<EventLog, 'has' | 'ingest' | 'seqOf'>
  overlay: Overlay
  view: IndexView
  sections: PartitionSections
  levels: Pick<PartitionLevels, 'review' | 'open' | 'next' | 'wantedOf' | 'heard' | 'caughtUp' | 'stalled' | 'failed'>
  places?: TitlePlaces | undefined
  verify: VerifySignature
  timers: Timers
  /** True for an author of whom nothing more is taken now: others may hold what it said, and will not be asked for it. */
  isShut(author: NodeId): boolean
  /** True for one of whom no more is kept for now. */
  isOverBudget(author: NodeId): boolean
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
  now(): number
}

/**
 * Brings an index node level with the other owners of its partitions: compares digests of partitions with one of them at
 * a time, of large ones section by section, and fetches the events it lacks. Each node pulls, so both sides end with the
 * union. Source: Merkle tree anti-entropy, DeCandia et al., Dynamo, 2007, section 4.7.
 */
export class Repair {
  readonly #options: RepairOptions
  #cancel = () => {}
  #turn = 0
  #turnAt = Number.NEGATIVE_INFINITY
  /** The last round has shown more to be level, or what another node is level in. */
  #hasGained = false
  #stopped = false
  /** Partitions of another node that differ from those here by what is near the boundary of a list alone: since when. */
  readonly #settled = new BoundedMap<string, number>(SETTLED_MAX)
  #status: RepairStatus = { lastAt: null, fetched: 0, inSync: false }

  constructor(options: RepairOptions) {
    this.#options = options
  }

  get status(): RepairStatus {
    return this.#status
  }

  start(): void {
    const { levels, timers } = this.#options
    void this.round().then((fetched) => {
      if (this.#stopped) return
      const isSoon = fetched > 0 || levels.open.length > 0
      const isLevelling = this.#hasGained && levels.next() !== undefined
      const waitMs = isLevelling ? LEVELLING_ROUND_MS : isSoon ? NEXT_ROUND_MS : ROUND_MS
      this.#cancel = timers.after(waitMs, () => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /**
   * One round with the next of the other owners; never rejects.
   * @returns how many events it brought
   */
  async round(): Promise<number> {
    const { levels, yieldToEventLoop } = this.#options
    const before = this.#status.fetched
    let other: NodeId | undefined
    this.#hasGained = false
    try {
      await levels.review(yieldToEventLoop)
      other = levels.next() ?? this.#nextInTurn()
      if (other === undefined) return 0
      const differed = await this.#level(other)
      this.#status = { ...this.#status, lastAt: this.#options.now(), inSync: !differed }
      const isStalled = levels.open.length > 0 && !this.#hasGained && this.#status.fetched === before
      if (isStalled) levels.stalled(other)
      await levels.review(yieldToEventLoop)
    } catch {
      // Not reachable now: another one, or this one again, next time.
      this.#status = { ...this.#status, inSync: false }
      if (other !== undefined) levels.failed(other)
    }
    return this.#status.fetched - before
  }

  /** While it waits for others to bring it level, those whose turn it is are not asked more often than ever. */
  #nextInTurn(): NodeId | undefined {
    const { levels, view, now } = this.#options
    if (levels.open.length > 0 && now() - this.#turnAt < ROUND_MS) return undefined
    this.#turnAt = now()
    const others = view.otherIndexNodes()
    return others[this.#turn++ % Math.max(1, others.length)]
  }

  /** @returns true if anything differed before */
  async #level(other: NodeId): Promise<boolean> {
    const { view, levels, places, now } = this.#options
    const shared = view.partitionsSharedWith(other).filter((partition) => !this.#isSettled(other, partition))
    // Not always from the first: one that never comes level must not keep the round from those behind it.
    const from = this.#turn % Math.max(1, shared.length)
    const progress = new RoundProgress()
    const differing = new Set<number>()
    const wholes = (partitions: readonly number[]): Section[] =>
      progress.opened(partitions).map((partition) => ({ partition, depth: 0, prefix: 0 }))
    // What is wanted most is compared first.
    let queue = wholes([...levels.wantedOf(other), ...shared.slice(from), ...shared.slice(0, from)])
    let fetches = FETCHES_MAX
    let differed = false
    for (let compares = 0; compares < COMPARES_MAX && !this.#stopped; compares++) {
      // With none it is asked in what it is level.
      if (queue.length === 0 && (compares > 0 || levels.open.length === 0)) break
      const sent = queue.slice(0, SECTIONS_MAX)
      const { differing: different, compared, level } = await this.#compare(other, sent)
      if (levels.heard(other, level ?? new Uint8Array(LEVEL_BYTES))) this.#hasGained = true
      if (compared === 0) break
      for (const { partition } of different) differing.add(partition)
      const asked = sent.slice(0, compared)
      differed ||= different.some((one) => !this.#isOfBoundary(one))
      const named = new Map(different.map((one) => [nameOf(one), one]))
      const split = asked.filter((one) => named.get(nameOf(one))?.split === true && one.depth < SECTION_DEPTH_MAX)
      // The parts of a section before the next section: what waits stays short. What it turns out to be level in comes last.
      const rest = queue.slice(asked.length)
      queue = [...split.flatMap(childrenOf), ...rest, ...wholes(levels.wantedOf(other))]
      const fetched = await this.#fetch(other, this.#missing(different.flatMap(({ events }) => events)), fetches)
      fetches = fetched.left
      progress.compared(asked, different, split, fetched.isAll)
    }
    for (const partition of progress.caughtUp()) {
      if (levels.caughtUp(other, partition)) this.#hasGained = true
      if (differing.has(partition) && places?.isCut(partition) === true) this.#settled.set(`${other}/${partition}`, now())
    }
    return differed || queue.length > 0
  }

  /** Nothing of it is lacking here that has a place here: the owners differ in what is near the boundary of a list. */
  #isOfBoundary({ partition, events }: SectionContent): boolean {
    return this.#options.places?.isCut(partition) === true && this.#missing(events).length === 0
  }

  #isSettled(other: NodeId, partition: number): boolean {
    const since = this.#settled.get(`${other}/${partition}`)
    return since !== undefined && this.#options.now() - since < SETTLED_MS
  }

  async #compare(other: NodeId, asked: readonly Section[]): Promise<CompareReply> {
    const { sections, overlay, yieldToEventLoop } = this.#options
    const digests: SectionDigest[] = []
    for (const section of asked) {
      digests.push({ ...section, digest: await sections.digest(section) })
      if (digests.length % DIGESTS_IN_A_TURN === 0) await yieldToEventLoop()
    }
    const timeoutMs = REQUEST_TIMEOUT_MS
    return decodeCompareReply(await overlay.request(other, INDEX_METHODS.compare, encodeCompare(digests), { timeoutMs }))
  }

  /**
   * @returns how many more fetches this round may make, and whether all came that the other can give; not what waits here for the
   *   admission of its author
   */
  async #fetch(other: NodeId, names: readonly EventName[], fetchesMax: number): Promise<{ left: number; isAll: boolean }> {
    const { overlay } = this.#options
    const timeoutMs = REQUEST_TIMEOUT_MS
    let fetches = fetchesMax
    let missing = names
    let isAll = true
    while (missing.length > 0 && fetches > 0 && !this.#stopped) {
      fetches -= 1
      const request = encodeFetch(missing.slice(0, EVENT_NAMES_MAX))
      const events = decodeFetchReply(await overlay.request(other, INDEX_METHODS.fetch, request, { timeoutMs }))
      const outcomes = await ingestIndexEvents(events, this.#options)
      const gained = outcomes.filter((outcome) => outcome === 'stored').length
      if (outcomes.includes('deferred')) isAll = false
      this.#status = { ...this.#status, fetched: this.#status.fetched + gained }
      // An answerer that sends nothing new would be asked for ever.
      if (gained === 0) return { left: fetches, isAll }
      missing = this.#missing(missing)
    }
    return { left: fetches, isAll: isAll && missing.length === 0 }
  }

  #missing(names: readonly EventName[]): EventName[] {
    const distinct = new Map(names.map((name) => [`${name.author}/${name.authorSeq}`, name]))
    const { log, isShut, places } = this.#options
    const isLacking = (name: EventName) => !log.has({ ...name, stream: 'index' }) && places?.isDeclined(name) !== true
    return [...distinct.values()].filter((name) => isLacking(name) && !isShut(name.author))
  }
}

/** Which partitions of a round have been compared to their last section. */
class RoundProgress {
  /** Sections that are still to be compared, by partition; those of which something could not be had never come to their end. */
  readonly #left = new Map<number, number>()

  /** @returns those that are not in the round already */
  opened(partitions: readonly number[]): number[] {
    return partitions.filter((partition) => {
      if (this.#left.has(partition)) return false
      this.#left.set(partition, 1)
      return true
    })
  }

  /** `isAll`: what the other has in the sections that differ is here now. */
  compared(asked: readonly Section[], differing: readonly SectionContent[], split: readonly Section[], isAll: boolean): void {
    const incomplete = new Set(differing.filter((one) => !isAll && one.events.length > 0).map(nameOf))
    for (const one of differing) if (one.split && one.depth >= SECTION_DEPTH_MAX) incomplete.add(nameOf(one))
    for (const one of asked) if (!incomplete.has(nameOf(one))) this.#add(one, -1)
    for (const one of split) this.#add(one, SECTION_FANOUT)
  }

  caughtUp(): number[] {
    return [...this.#left].filter(([, left]) => left === 0).map(([partition]) => partition)
  }

  #add({ partition }: Section, sections: number): void {
    const left = this.#left.get(partition)
    if (left !== undefined) this.#left.set(partition, left + sections)
  }
}

const nameOf = ({ partition, depth, prefix }: Section): string => `${partition}/${depth}/${prefix}`
