import type { EventLog, NodeId, Timers, VerifySignature } from '../../events/index.ts'
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
  type SectionDigest,
} from './index-messages.ts'
import { ingestIndexEvents } from './index-requests.ts'
import type { IndexView } from './index-view.ts'
import { childrenOf, type PartitionSections, SECTION_DEPTH_MAX, type Section } from './partition-sections.ts'

/** A round with one other owner so often, ms. */
const ROUND_MS = 10_000
/** And so soon after a round that brought something: there may be more. */
const NEXT_ROUND_MS = 1_000
const REQUEST_TIMEOUT_MS = 5_000
/** Comparisons and fetches of one round at most: the next round goes on. */
const COMPARES_MAX = 256
const FETCHES_MAX = 64
/** Digests made in one turn. */
const DIGESTS_IN_A_TURN = 32

export type RepairStatus = { lastAt: number | null; fetched: number; inSync: boolean }

export type RepairOptions = {
  log: Pick<EventLog, 'has' | 'ingest'>
  overlay: Overlay
  view: IndexView
  sections: PartitionSections
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
  #stopped = false
  #status: RepairStatus = { lastAt: null, fetched: 0, inSync: false }

  constructor(options: RepairOptions) {
    this.#options = options
  }

  get status(): RepairStatus {
    return this.#status
  }

  start(): void {
    void this.round().then((fetched) => {
      if (this.#stopped) return
      this.#cancel = this.#options.timers.after(fetched > 0 ? NEXT_ROUND_MS : ROUND_MS, () => this.start())
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
    const before = this.#status.fetched
    try {
      const others = this.#options.view.otherIndexNodes()
      const other = others[this.#turn++ % Math.max(1, others.length)]
      if (other === undefined) return 0
      const differed = await this.#level(other)
      this.#status = { ...this.#status, lastAt: this.#options.now(), inSync: !differed }
    } catch {
      // Not reachable now: another one, or this one again, next time.
      this.#status = { ...this.#status, inSync: false }
    }
    return this.#status.fetched - before
  }

  /** @returns true if anything differed before */
  async #level(other: NodeId): Promise<boolean> {
    const shared = this.#options.view.partitionsSharedWith(other)
    // Not always from the first: one that never comes level must not keep the round from those behind it.
    const from = this.#turn % Math.max(1, shared.length)
    let queue: Section[] = [...shared.slice(from), ...shared.slice(0, from)].map((partition) => ({
      partition,
      depth: 0,
      prefix: 0,
    }))
    let fetches = FETCHES_MAX
    let differed = false
    for (let compares = 0; queue.length > 0 && compares < COMPARES_MAX && !this.#stopped; compares++) {
      const asked = queue.slice(0, SECTIONS_MAX)
      const { differing, compared } = await this.#compare(other, asked)
      if (compared === 0) break
      differed ||= differing.length > 0
      const wasAsked = new Set(asked.map(nameOf))
      const split = differing.filter((one) => one.split && one.depth < SECTION_DEPTH_MAX && wasAsked.has(nameOf(one)))
      // The parts of a section before the next section: what waits stays short.
      queue = [...split.flatMap(childrenOf), ...queue.slice(Math.min(compared, asked.length))]
      fetches = await this.#fetch(other, this.#missing(differing.flatMap(({ events }) => events)), fetches)
    }
    return differed || queue.length > 0
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

  /** @returns how many more fetches this round may make */
  async #fetch(other: NodeId, names: readonly EventName[], fetchesMax: number): Promise<number> {
    const { overlay } = this.#options
    const timeoutMs = REQUEST_TIMEOUT_MS
    let fetches = fetchesMax
    let missing = names
    while (missing.length > 0 && fetches > 0 && !this.#stopped) {
      fetches -= 1
      const request = encodeFetch(missing.slice(0, EVENT_NAMES_MAX))
      const events = decodeFetchReply(await overlay.request(other, INDEX_METHODS.fetch, request, { timeoutMs }))
      const outcomes = await ingestIndexEvents(events, this.#options)
      const gained = outcomes.filter((outcome) => outcome === 'stored').length
      this.#status = { ...this.#status, fetched: this.#status.fetched + gained }
      // An answerer that sends nothing new would be asked for ever.
      if (gained === 0) break
      missing = this.#missing(missing)
    }
    return fetches
  }

  #missing(names: readonly EventName[]): EventName[] {
    const distinct = new Map(names.map((name) => [`${name.author}/${name.authorSeq}`, name]))
    const { log, isShut } = this.#options
    return [...distinct.values()].filter((name) => !log.has({ ...name, stream: 'index' }) && !isShut(name.author))
  }
}

const nameOf = ({ partition, depth, prefix }: Section): string => `${partition}/${depth}/${prefix}`
