import type { NewSha256 } from '../../projections/sha256.ts'
import type { EventName } from './index-messages.ts'

/**
 * A part of a partition, for comparing two owners' sets without listing them: its events whose names' sha-256 begins
 * with `prefix`, of 6 bits for each level of depth. Depth 0 is the whole partition.
 */
export type Section = { partition: number; depth: number; prefix: number }

const LEVEL_BITS = 6
/** Sections of the next depth in one section. */
export const SECTION_FANOUT = 2 ** LEVEL_BITS
/** 30 bits: a billion sections of a partition are enough for any number of events, if nobody forges their hashes. */
export const SECTION_DEPTH_MAX = 5
/** Partitions whose events are kept in order: those being compared just now. */
const KEPT_MAX = 4

export type PartitionSource = {
  partitionDigest(partition: number): Promise<string>
  partitionEvents(partition: number): Promise<readonly EventName[]>
}

type Placed = { hash: number; text: string; name: EventName }

export function childrenOf({ partition, depth, prefix }: Section): Section[] {
  return Array.from({ length: SECTION_FANOUT }, (_, child) => ({
    partition,
    depth: depth + 1,
    prefix: prefix * SECTION_FANOUT + child,
  }))
}

/** The events of partitions by section. Two nodes with the same events of a section have the same digest for it. */
export class PartitionSections {
  readonly #source: PartitionSource
  readonly #newSha256: NewSha256
  readonly #kept = new Map<number, { digest: string; placed: Promise<readonly Placed[]> }>()

  constructor(source: PartitionSource, newSha256: NewSha256) {
    this.#source = source
    this.#newSha256 = newSha256
  }

  /** sha-256, hex. */
  async digest(section: Section): Promise<string> {
    if (section.depth === 0) return this.#source.partitionDigest(section.partition)
    const hash = this.#newSha256()
    const within = await this.#within(section)
    hash.update(within.map(({ text }) => `${text}\n`).join(''))
    return hash.digestHex()
  }

  async events(section: Section): Promise<readonly EventName[]> {
    return (await this.#within(section)).map(({ name }) => name)
  }

  async #within({ partition, depth, prefix }: Section): Promise<readonly Placed[]> {
    const placed = await this.#placed(partition)
    if (depth === 0) return placed
    const width = 2 ** (32 - depth * LEVEL_BITS)
    return placed.slice(firstAtOrAbove(placed, prefix * width), firstAtOrAbove(placed, (prefix + 1) * width))
  }

  /** By hash, then name: the same order on every node. Whoever asks while it is put in order waits for the same. */
  async #placed(partition: number): Promise<readonly Placed[]> {
    const digest = await this.#source.partitionDigest(partition)
    const kept = this.#kept.get(partition)
    if (kept?.digest === digest) return kept.placed
    const placed = this.#inOrder(partition)
    this.#kept.delete(partition)
    this.#kept.set(partition, { digest, placed })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break
      this.#kept.delete(oldest)
    }
    try {
      return await placed
    } catch (error) {
      if (this.#kept.get(partition)?.placed === placed) this.#kept.delete(partition)
      throw error
    }
  }

  async #inOrder(partition: number): Promise<readonly Placed[]> {
    const placed = (await this.#source.partitionEvents(partition)).map((name): Placed => {
      const text = `${name.author}/${name.authorSeq}`
      const hash = this.#newSha256()
      hash.update(text)
      return { hash: Number.parseInt(hash.digestHex().slice(0, 8), 16), text, name }
    })
    placed.sort((a, b) => a.hash - b.hash || (a.text < b.text ? -1 : 1))
    return placed
  }
}

function firstAtOrAbove(placed: readonly Placed[], hash: number): number {
  let low = 0
  let high = placed.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((placed[middle]?.hash ?? 0) < hash) low = middle + 1
    else high = middle
  }
  return low
}
