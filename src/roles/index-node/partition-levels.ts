import type { NodeId } from '../../events/index.ts'
import { OWNER_COUNT, PARTITION_COUNT } from '../../projections/keyword-index/index.ts'
import { type IndexMap, RANKED_MAX } from './index-map.ts'

/** So long after the start a node may not know yet who else there is, ms. */
const GRACE_MS = 15_000
/** And so long after the index nodes were others. */
const UNCHANGED_MS = 5_000
/** One that cannot be reached for so long keeps nobody from being level, ms. */
const UNREACHABLE_MS = 60_000
/** And it is left alone for so long before it is asked again. */
const AGAIN_MS = 5_000
/** One whose comparison brought nothing is left alone for so long before it is asked for more, ms. */
const STALLED_MS = 10_000
/** A node that compared with nobody for so long, though there are others, was cut off, or asleep: it is level no more, ms. */
const CUT_OFF_MS = 120_000
/** Of the others, by rank, those whose events are taken: the owners, and who was one before the last few came. */
const SOURCE_RANKS = 6
/** Ranks that are asked whether they are level: former owners, where many come at once. */
const HEARD_RANKS = RANKED_MAX
/** So many that are level must have been compared with: one of them may lie. */
const SOURCES_MIN = 2
/** Partitions looked at in one turn. */
const PARTITIONS_IN_A_TURN = 8

/**
 * What a node is in a partition: no owner of it; an owner that may lack something; one that is level; and one that was level
 * when others came in its place, which has what those need.
 */
const [NONE, OPEN, LEVEL, FORMER] = [0, 1, 2, 3] as const

export type PartitionLevelsOptions = {
  self: NodeId
  map: Pick<IndexMap, 'indexNodes' | 'rankedOwners' | 'revision'>
  /** ms. */
  now(): number
}

/** What another index node said last. */
type Heard = { level: LevelBits; caughtUp: Set<number> }

/** Whether this node may answer for a partition. */
export type Levels = {
  /** True if it holds what the other owners of the partition hold, as far as can be known. */
  isLevel(partition: number): boolean
  /** True if that is so of all partitions that it owns. */
  readonly isLevelInAll: boolean
  /** The partitions in which it is level or was when it lost them, for the other nodes. */
  bits(): LevelBits
}

/** One bit for each of the 1024 partitions, that of partition 0 the lowest of the first byte. */
export type LevelBits = Uint8Array
export const LEVEL_BYTES = PARTITION_COUNT / 8
export const hasBit = (bits: LevelBits, partition: number): boolean =>
  (((bits[partition >> 3] ?? 0) >> (partition & 7)) & 1) === 1

/**
 * In which partitions this node is level with their other owners. Who comes or comes back owns partitions at once, and is told
 * of what is published from then on; searches it answers only as one who may lack something, until it has compared with two
 * nodes that are level. Where nobody is, as in a network that has just begun, it is level when all are level with one another.
 * See docs/adr/0028-who-may-answer.md.
 */
export class PartitionLevels implements Levels {
  readonly #options: PartitionLevelsOptions
  readonly #state = new Uint8Array(PARTITION_COUNT)
  readonly #heard = new Map<NodeId, Heard>()
  /** Those that gave no answer: since when, and when last. */
  readonly #failing = new Map<NodeId, { since: number; last: number }>()
  /** Those of whom the last comparison brought nothing: since when. */
  readonly #stalled = new Map<NodeId, number>()
  readonly #startedAt: number
  #revision = -1
  #changedAt: number
  #comparedAt: number | undefined
  /** Owned, and not level as of the last review. */
  #open: number[] = []

  constructor(options: PartitionLevelsOptions) {
    this.#options = options
    this.#startedAt = options.now()
    this.#changedAt = this.#startedAt
  }

  isLevel(partition: number): boolean {
    // Nobody else can be asked.
    if (this.#isAlone) return true
    return this.#state[partition] === LEVEL && !this.#wasCutOff && this.#rank(partition) < OWNER_COUNT
  }

  get isLevelInAll(): boolean {
    if (this.#isAlone) return true
    // One that knows nobody owns nothing.
    return this.#revision >= 0 && this.#open.length === 0 && !this.#wasCutOff && this.#options.map.indexNodes().length > 0
  }

  bits(): LevelBits {
    const bits = new Uint8Array(LEVEL_BYTES)
    if (this.#wasCutOff) return bits
    for (const [partition, state] of this.#state.entries()) {
      if (state >= LEVEL) bits[partition >> 3] = (bits[partition >> 3] ?? 0) | (1 << (partition & 7))
    }
    return bits
  }

  /** Partitions that this node owns and is not level in, as of the last review. */
  get open(): readonly number[] {
    return this.#open
  }

  /** Looks at every partition: what is owned by now, and what is level. */
  async review(yieldToEventLoop: () => Promise<void>): Promise<void> {
    const { map, now } = this.#options
    if (this.#revision !== map.revision()) {
      if (this.#revision >= 0) this.#changedAt = now()
      this.#revision = map.revision()
      const nodes = new Set(map.indexNodes())
      for (const known of [this.#heard, this.#failing, this.#stalled])
        for (const id of known.keys()) if (!nodes.has(id)) known.delete(id)
    }
    const open: number[] = []
    for (let partition = 0; partition < PARTITION_COUNT; partition++) {
      if (partition > 0 && partition % PARTITIONS_IN_A_TURN === 0) await yieldToEventLoop()
      this.#look(partition)
      if (this.#state[partition] === OPEN) open.push(partition)
    }
    this.#open = open
  }

  /** Whom to compare with next, so that more is level; undefined where nobody can bring that about now. */
  next(): NodeId | undefined {
    const now = this.#options.now()
    for (const partition of this.#open) {
      for (const id of this.#awaited(partition)) {
        const failing = this.#failing.get(id)
        const stalledAt = this.#stalled.get(id) ?? Number.NEGATIVE_INFINITY
        if ((failing === undefined || now - failing.last >= AGAIN_MS) && now - stalledAt >= STALLED_MS) return id
      }
    }
    return undefined
  }

  /** Of these partitions the events of another node are wanted, whether it owns them or not. */
  wantedOf(other: NodeId): number[] {
    const level = this.#heard.get(other)?.level
    return this.#open.filter(
      (partition) => this.#others(partition).slice(0, SOURCE_RANKS).includes(other) || (level && hasBit(level, partition)),
    )
  }

  /** Another node has said in what it is level. @returns true if it had not said so before */
  heard(other: NodeId, level: LevelBits): boolean {
    if (this.#wasCutOff) {
      for (const [partition, state] of this.#state.entries())
        this.#state[partition] = state === LEVEL || state === OPEN ? OPEN : NONE
      this.#heard.clear()
    }
    this.#comparedAt = this.#options.now()
    this.#failing.delete(other)
    const known = this.#heard.get(other)
    this.#heard.set(other, { level: new Uint8Array(level), caughtUp: known?.caughtUp ?? new Set() })
    return known === undefined
  }

  /** Of a partition of another node nothing is lacking here. @returns true if that is new */
  caughtUp(other: NodeId, partition: number): boolean {
    const caughtUp = this.#heard.get(other)?.caughtUp
    if (caughtUp === undefined || caughtUp.has(partition)) return false
    caughtUp.add(partition)
    return true
  }

  /** A comparison with another node has brought nothing. */
  stalled(other: NodeId): void {
    this.#stalled.set(other, this.#options.now())
  }

  failed(other: NodeId): void {
    const now = this.#options.now()
    this.#failing.set(other, { since: this.#failing.get(other)?.since ?? now, last: now })
  }

  /** Not before it has had time to hear of others: one that joins knows nobody at first, while others know it already. */
  get #isAlone(): boolean {
    const { map, now } = this.#options
    if (now() - this.#startedAt < GRACE_MS) return false
    const nodes = map.indexNodes()
    return nodes.length === 0 || (nodes.length === 1 && nodes[0] === this.#options.self)
  }

  get #wasCutOff(): boolean {
    return this.#comparedAt !== undefined && this.#options.now() - this.#comparedAt > CUT_OFF_MS
  }

  /** Its place among those who would own the partition, from 0. */
  #rank(partition: number): number {
    const { map, self } = this.#options
    const place = map.rankedOwners(partition, OWNER_COUNT).indexOf(self)
    return place < 0 ? Number.POSITIVE_INFINITY : place
  }

  #look(partition: number): void {
    const before = this.#state[partition]
    if (this.#rank(partition) >= OWNER_COUNT) {
      if (before === LEVEL || before === OPEN) this.#state[partition] = before === LEVEL ? FORMER : NONE
      return
    }
    if (before === LEVEL) return
    if (before !== OPEN) {
      this.#state[partition] = OPEN
      // It may have been owned before: what was published since went to others.
      for (const { caughtUp } of this.#heard.values()) caughtUp.delete(partition)
    }
    if (this.#isAlone) return
    const sources = this.#sources(partition)
    const isAllKnown = this.#awaited(partition).length === 0 && (sources > 0 || this.#isSettled)
    if (sources >= SOURCES_MIN || isAllKnown) this.#state[partition] = LEVEL
  }

  /** By now it is known who there is. */
  get #isSettled(): boolean {
    const now = this.#options.now()
    return now - this.#startedAt >= GRACE_MS && now - this.#changedAt >= UNCHANGED_MS
  }

  #others(partition: number): NodeId[] {
    const { map, self } = this.#options
    return map.rankedOwners(partition, HEARD_RANKS).filter((id) => id !== self)
  }

  /** How many that are level have been caught up with. */
  #sources(partition: number): number {
    return this.#others(partition).filter((id) => {
      const heard = this.#heard.get(id)
      return heard !== undefined && hasBit(heard.level, partition) && heard.caughtUp.has(partition)
    }).length
  }

  /** Those who might have what is lacking here: not asked yet, or asked and not caught up with. */
  #awaited(partition: number): NodeId[] {
    const now = this.#options.now()
    return this.#others(partition).filter((id, place) => {
      const failing = this.#failing.get(id)
      if (failing !== undefined && now - failing.since >= UNREACHABLE_MS) return false
      const heard = this.#heard.get(id)
      if (heard === undefined) return true
      return !heard.caughtUp.has(partition) && (place < SOURCE_RANKS || hasBit(heard.level, partition))
    })
  }
}
