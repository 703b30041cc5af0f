import type { EventLog, SignedEvent } from '../../events/index.ts'
import type { Hit } from '../../projections/keyword-index/index.ts'
import type { WireHit } from './index-messages.ts'

/** Bytes of events kept: those of some thousand hits, since most searches are for what was searched for before. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024

/**
 * The signed events that prove hits, read from the log. Those read last are kept: an event lies in a segment with hundreds
 * of others, and 80 of them take 60 ms to read.
 */
export class HitProofs {
  readonly #log: Pick<EventLog, 'readSignedAt'>
  /** By sequence, the one used last at the end. */
  readonly #kept = new Map<number, SignedEvent>()
  #keptBytes = 0

  constructor(log: Pick<EventLog, 'readSignedAt'>) {
    this.#log = log
  }

  get keptBytes(): number {
    return this.#keptBytes
  }

  /** Hits with their proofs; one whose description is not held any more is left out. */
  async of(hits: readonly Hit[]): Promise<WireHit[]> {
    const wanted = new Set(hits.flatMap(({ evidence }) => evidence))
    const found = new Map<number, SignedEvent>()
    for (const seq of wanted) {
      const event = this.#kept.get(seq)
      if (event === undefined) continue
      found.set(seq, event)
      this.#kept.delete(seq)
      this.#kept.set(seq, event)
    }
    for (const [seq, event] of await this.#read([...wanted].filter((seq) => !found.has(seq)))) {
      found.set(seq, event)
      this.#keep(seq, event)
    }
    return hits.flatMap(({ infoHash, seeders, lastSeenAt, evidence }) => {
      const [description, ...more] = evidence.map((seq) => found.get(seq))
      return description === undefined
        ? []
        : [{ infoHash, seeders, lastSeenAt, proof: [description, ...more.filter((event) => event !== undefined)] }]
    })
  }

  async #read(seqs: readonly number[]): Promise<(readonly [number, SignedEvent])[]> {
    if (seqs.length === 0) return []
    const events = await this.#log.readSignedAt(seqs)
    if (events.length === seqs.length) return events.map((event, at) => [seqs[at] as number, event] as const)
    // Something was pruned meanwhile, and what is left has lost its place in the list.
    const each = await Promise.all(seqs.map((seq) => this.#log.readSignedAt([seq])))
    return each.flatMap(([event], at) => (event === undefined ? [] : [[seqs[at] as number, event] as const]))
  }

  #keep(seq: number, event: SignedEvent): void {
    // Two that asked at once have both read it.
    if (this.#kept.has(seq)) return
    this.#kept.set(seq, event)
    this.#keptBytes += bytesOf(event)
    for (const [oldest, gone] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) return
      this.#kept.delete(oldest)
      this.#keptBytes -= bytesOf(gone)
    }
  }
}

const bytesOf = ({ body, signature }: SignedEvent): number => body.length + signature.length
