import type { Millis, NodeId } from '../../events/index.ts'
import { ByteReader, ByteWriter, hexKey } from '../bytes.ts'

// Who still offers what it once said: soft state. An author renews all its offers with one event (`offers.renewed`), and whoever
// does not, because it was killed or lost its disk, counts no more after three periods. Times are claims of the authors,
// held against the clock of the node that counts; nothing here has a clock.

/** How often an author that offers anything says so, ms. */
export const RENEWAL_MS = 6 * 3_600_000
/** An offer counts for so long after its author said so last, ms: two renewals may be missed. */
export const OFFER_COUNTS_MS = 3 * RENEWAL_MS
/**
 * How far ahead of our clock an author's claim may be, ms: a clock in the wrong time zone is no lie. What is further ahead counts
 * nothing until then, so that nobody is there for years by saying so once.
 */
export const AHEAD_MS = 6 * 3_600_000
/**
 * Authors that are kept: as many as one invitation may have events in the index stream (budget-limits.ts), and a hundred thousand
 * others, so that no invitation pushes these out, whatever number of keys it brings. An entry takes about 150 bytes.
 */
export const AUTHORS_MAX = 500_000

/** The number that its author gave an event, and when it says that was, ms since 1970. */
export type Said = { readonly authorSeq: number; readonly at: number }

/** Each author's last renewal: that with the highest number, whatever came first. */
export class Renewals {
  readonly #last = new Map<NodeId, Said>()
  readonly #max: number

  constructor(max = AUTHORS_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#last.size
  }

  /** @returns the authors whose entry is another now: this one, and one that made room for it; none where nothing is new */
  add(author: NodeId, { authorSeq, at }: Said): NodeId[] {
    const known = this.#last.get(author)
    if (known !== undefined && known.authorSeq >= authorSeq) return []
    this.#last.set(author, { authorSeq, at })
    if (this.#last.size <= this.#max) return [author]
    const silent = this.#longestSilent()
    if (silent === undefined) return [author]
    this.#last.delete(silent)
    return silent === author ? [] : [author, silent]
  }

  get(author: NodeId): Said | undefined {
    return this.#last.get(author)
  }

  /** What revoked authors said goes with them. */
  delete(author: NodeId): boolean {
    return this.#last.delete(author)
  }

  entries(): IterableIterator<[NodeId, Said]> {
    return this.#last.entries()
  }

  /** By what they say; of those that are level the one with the highest id, so that all nodes agree. */
  #longestSilent(): NodeId | undefined {
    let silent: [NodeId, Said] | undefined
    for (const [author, said] of this.#last) {
      const isEarlier = silent === undefined || said.at < silent[1].at || (said.at === silent[1].at && author > silent[0])
      if (isEarlier) silent = [author, said]
    }
    return silent?.[0]
  }
}

/** Whether an offer counts as a seeder, and when its author was last heard of: never later than now. */
export type Presence = { readonly counts: boolean; readonly lastSeenAt: Millis }

/**
 * @param offeredAt when its author says that it offered this torrent last
 * @param renewedAt when it says that it renewed all offers; undefined if it never did, as far as is known
 * @param now of the node that counts
 */
export function presenceOf(offeredAt: number, renewedAt: number | undefined, now: number): Presence {
  const said = [offeredAt, renewedAt ?? offeredAt].filter((at) => at <= now + AHEAD_MS)
  // What lies ahead proves nothing, and takes nothing away from what was said before it.
  const last = said.length === 0 ? Number.NEGATIVE_INFINITY : Math.max(...said)
  return { counts: last > now - OFFER_COUNTS_MS, lastSeenAt: Math.max(0, Math.min(last, now)) as Millis }
}

/** Where the last renewal of an author stands in the rows of the index. */
export const renewalKey = (author: NodeId): string => `r${hexKey(author)}`

export function renewalRow({ authorSeq, at }: Said): Uint8Array {
  const writer = new ByteWriter(16)
  writer.number(authorSeq)
  writer.number(at)
  return writer.take()
}

export function renewalIn(row: Uint8Array): Said {
  const reader = new ByteReader(row)
  return { authorSeq: reader.number(), at: reader.number() }
}
