import type { EventLog, NodeId, Timers, VerifySignature } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import {
  decodeCompareReply,
  decodeFetchReply,
  EVENT_NAMES_MAX,
  type EventName,
  encodeCompare,
  encodeFetch,
  INDEX_METHODS,
  type PartitionDigest,
} from './index-messages.ts'
import { ingestIndexEvents } from './index-requests.ts'
import type { IndexView } from './index-view.ts'

/** A round with one other owner so often, ms. */
const ROUND_MS = 10_000
const REQUEST_TIMEOUT_MS = 5_000
/** Fetches of one round at most: the next round goes on. */
const FETCHES_MAX = 64

export type RepairStatus = { lastAt: number | null; fetched: number; inSync: boolean }

export type RepairOptions = {
  log: EventLog
  overlay: Overlay
  view: IndexView
  verify: VerifySignature
  timers: Timers
  now(): number
}

/**
 * Brings an index node level with the other owners of its partitions: compares partition digests with one of them at a
 * time, and fetches the events it lacks. Each node pulls, so both sides end with the union.
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
    void this.round().finally(() => {
      if (!this.#stopped) this.#cancel = this.#options.timers.after(ROUND_MS, () => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** One round with the next of the other owners. */
  async round(): Promise<void> {
    const others = this.#options.view.otherIndexNodes()
    const other = others[this.#turn++ % Math.max(1, others.length)]
    if (other === undefined) return
    try {
      const fetched = await this.#level(other)
      this.#status = { lastAt: this.#options.now(), fetched: this.#status.fetched + fetched, inSync: fetched === 0 }
    } catch {
      // Not reachable now: another one, or this one again, next time.
      this.#status = { ...this.#status, inSync: false }
    }
  }

  async #level(other: NodeId): Promise<number> {
    const { view, overlay } = this.#options
    const shared: PartitionDigest[] = view
      .partitionsSharedWith(other)
      .map((partition) => ({ partition, digest: view.partitionDigest(partition) }))
    if (shared.length === 0) return 0
    const timeoutMs = REQUEST_TIMEOUT_MS
    const reply = decodeCompareReply(await overlay.request(other, INDEX_METHODS.compare, encodeCompare(shared), { timeoutMs }))
    let missing = this.#missing(reply.differing.flatMap(({ events }) => events))
    let stored = 0
    for (let fetches = 0; missing.length > 0 && fetches < FETCHES_MAX && !this.#stopped; fetches++) {
      const request = encodeFetch(missing.slice(0, EVENT_NAMES_MAX))
      const events = decodeFetchReply(await overlay.request(other, INDEX_METHODS.fetch, request, { timeoutMs }))
      const outcomes = await ingestIndexEvents(events, this.#options)
      const gained = outcomes.filter((outcome) => outcome === 'stored').length
      stored += gained
      // An answerer that sends nothing new would be asked for ever.
      if (gained === 0) break
      missing = this.#missing(missing)
    }
    return stored
  }

  #missing(names: readonly EventName[]): EventName[] {
    const distinct = new Map(names.map((name) => [`${name.author}/${name.authorSeq}`, name]))
    return [...distinct.values()].filter((name) => !this.#options.log.has({ ...name, stream: 'index' }))
  }
}
