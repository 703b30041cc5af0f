import type { NodeId } from '../../events/index.ts'
import { ByteReader, ByteWriter, key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'
import type { Offer } from './documents.ts'
import { SetDigests, type Sha256Of } from './set-digest.ts'
import { PARTITION_COUNT } from './sharding.ts'

// What each partition holds: the digest and the number of its events, and its torrents. Of an offer, a partition has the last
// event whose title belongs there, the last word and the last description.

const PARTITIONS_A_ROW = 64
const DIGEST_BYTES = 32

/** The author sequences of an offer's events in a group of partitions: each once. */
export function placedSeqs({ claim, description }: Offer, group: Offer['placed'][number]): number[] {
  const seqs = [group.by.authorSeq]
  if (!seqs.includes(claim.by.authorSeq)) seqs.push(claim.by.authorSeq)
  if (description !== undefined && !seqs.includes(description.by.authorSeq)) seqs.push(description.by.authorSeq)
  return seqs
}

/** Sums over events that can be added to and taken from one another. */
export class EventTally {
  readonly digests = new SetDigests(PARTITION_COUNT)
  readonly events = new Int32Array(PARTITION_COUNT)
  readonly #sha256: Sha256Of
  readonly #name = new ByteWriter(48)

  constructor(sha256: Sha256Of) {
    this.#sha256 = sha256
  }

  /** Counts an offer's events in, or out. */
  count(offer: Offer, sign: 1 | -1): void {
    const hashes = new Map<number, Uint8Array>()
    for (const group of offer.placed) {
      for (const authorSeq of placedSeqs(offer, group)) {
        let hash = hashes.get(authorSeq)
        if (hash === undefined) {
          hash = this.#hash(offer.author, authorSeq)
          hashes.set(authorSeq, hash)
        }
        for (const partition of group.partitions) this.#add(partition, hash, sign)
      }
    }
  }

  #hash(author: NodeId, authorSeq: number): Uint8Array {
    this.#name.clear()
    this.#name.hex(author)
    this.#name.number(authorSeq)
    return this.#sha256(this.#name.view())
  }

  #add(partition: number, hash: Uint8Array, sign: 1 | -1): void {
    if (sign === 1) this.digests.add(partition, hash)
    else this.digests.subtract(partition, hash)
    this.events[partition] = (this.events[partition] as number) + sign
    this.changed(partition)
  }

  /** For whoever stores it. */
  protected changed(_partition: number): void {}
}

export class PartitionTallies extends EventTally {
  /** Torrents that are or were placed in each partition: the length of its list. */
  readonly torrents = new Uint32Array(PARTITION_COUNT)
  readonly #rows: RowTable
  readonly #changed = new Set<number>()

  constructor(rows: RowTable, sha256: Sha256Of) {
    super(sha256)
    this.#rows = rows
    for (let row = 0; row < PARTITION_COUNT / PARTITIONS_A_ROW; row++) this.#load(row)
  }

  protected override changed(partition: number): void {
    this.#changed.add(Math.floor(partition / PARTITIONS_A_ROW))
  }

  addTorrent(partition: number): void {
    this.torrents[partition] = (this.torrents[partition] as number) + 1
    this.changed(partition)
  }

  /** Adds another tally to this one. */
  join({ digests, events }: EventTally): void {
    const bytes = new Uint8Array(digests.lanes.buffer)
    for (let partition = 0; partition < PARTITION_COUNT; partition++) {
      const hash = bytes.subarray(partition * DIGEST_BYTES, (partition + 1) * DIGEST_BYTES)
      if (events[partition] === 0 && hash.every((byte) => byte === 0)) continue
      this.digests.add(partition, hash)
      this.events[partition] = (this.events[partition] as number) + (events[partition] as number)
      this.changed(partition)
    }
  }

  #load(row: number): void {
    const bytes = this.#rows.get(`D${key32(row)}`)
    if (bytes === undefined) return
    const reader = new ByteReader(bytes)
    for (let partition = row * PARTITIONS_A_ROW; partition < (row + 1) * PARTITIONS_A_ROW; partition++) {
      this.digests.add(partition, reader.raw(DIGEST_BYTES))
      this.events[partition] = reader.number()
      this.torrents[partition] = reader.number()
    }
  }

  flush(): void {
    for (const row of this.#changed) {
      const writer = new ByteWriter(PARTITIONS_A_ROW * (DIGEST_BYTES + 9))
      for (let partition = row * PARTITIONS_A_ROW; partition < (row + 1) * PARTITIONS_A_ROW; partition++) {
        for (let lane = 0; lane < 8; lane++) {
          const value = this.digests.lanes[partition * 8 + lane] as number
          for (let shift = 0; shift < 32; shift += 8) writer.byte((value >>> shift) & 255)
        }
        writer.number(this.events[partition] as number)
        writer.number(this.torrents[partition] as number)
      }
      this.#rows.put(`D${key32(row)}`, writer.take())
    }
    this.#changed.clear()
  }
}
