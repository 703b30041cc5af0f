import type { InfoHash } from '../../events/index.ts'
import { ByteReader, ByteWriter, hexKey, key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'
import { type DocumentHead, offersOf, readHead, writeHead, writeOffers } from './document-rows.ts'
import type { TorrentDocument } from './documents.ts'
import { SetDigests, type Sha256Of } from './set-digest.ts'

/** Info hashes in a row. */
const HASHES_A_ROW = 256
const HASH_BYTES = 20
/** Documents that are kept in memory when nothing of them waits to be stored. */
const KEPT_MAX = 16_384
/** Rows of info hashes that are kept in memory: those of the last documents that were looked at. */
const HASH_ROWS_KEPT = 512

/** A document in memory, and what stands beside it in its row. */
export type HeldDocument = TorrentDocument &
  DocumentHead & {
    /** Digest of its offers as they were stored last. */
    storedHash: Uint8Array | undefined
    /** For which lookup of parties it was computed, and for which time, ms since 1970. */
    epoch: number
    computedFor: number
  }

const documentKey = (infoHash: InfoHash): string => `t${hexKey(infoHash)}`

/** Torrents by info hash and by ordinal, in rows; the last used ones and those that changed are in memory. */
export class DocumentStore {
  readonly #rows: RowTable
  readonly #sha256: Sha256Of
  readonly #held = new Map<InfoHash, HeldDocument>()
  readonly #changed = new Map<InfoHash, HeldDocument>()
  readonly #writer = new ByteWriter(1024)
  /** Over all documents, each with its info hash. */
  readonly digest = new SetDigests(1)
  #count: number
  /** The row of info hashes that is not full. */
  #tail: Uint8Array
  readonly #hashRows = new Map<number, Uint8Array>()
  readonly #known = new HashFilter()

  /** @param count ordinals given so far, in the rows */
  constructor(rows: RowTable, sha256: Sha256Of, count: number, digest: Uint8Array) {
    this.#rows = rows
    this.#sha256 = sha256
    this.#count = count
    this.#tail = new Uint8Array(HASHES_A_ROW * HASH_BYTES)
    if (count % HASHES_A_ROW > 0) this.#tail.set(rows.get(hashesKey(count)) ?? new Uint8Array())
    this.digest.add(0, digest)
    for (let ordinal = 0; ordinal < count; ordinal += HASHES_A_ROW) {
      const row = ordinal + HASHES_A_ROW > count ? this.#tail : rows.get(hashesKey(ordinal))
      for (let at = 0; at < Math.min(HASHES_A_ROW, count - ordinal) && row !== undefined; at++)
        this.#known.addAt(row, at * HASH_BYTES)
    }
  }

  /** Ordinals given so far. */
  get count(): number {
    return this.#count
  }

  find(infoHash: InfoHash): HeldDocument | undefined {
    const held = this.#held.get(infoHash)
    if (held !== undefined) return held
    // Mostly a torrent that nobody has said anything of: no need to look for it on disk.
    if (!this.#known.mayHave(infoHash)) return undefined
    const row = this.#rows.get(documentKey(infoHash))
    if (row === undefined) return undefined
    const reader = new ByteReader(row)
    const head = readHead(reader)
    const document = heldDocument(infoHash, head, offersOf(row, reader.at))
    document.storedHash = this.#hash(infoHash, row.subarray(reader.at))
    this.#keep(document)
    return document
  }

  at(ordinal: number): HeldDocument | undefined {
    const infoHash = this.#infoHashAt(ordinal)
    const document = infoHash === undefined ? undefined : this.find(infoHash)
    // One that was forgotten and came again has another.
    return document?.ordinal === ordinal ? document : undefined
  }

  create(infoHash: InfoHash): HeldDocument {
    const ordinal = this.#count++
    const at = (ordinal % HASHES_A_ROW) * HASH_BYTES
    const writer = new ByteWriter(HASH_BYTES)
    writer.hex(infoHash)
    this.#tail.set(writer.view(), at)
    this.#known.addAt(writer.view(), 0)
    if (this.#count % HASHES_A_ROW === 0) {
      this.#rows.put(hashesKey(ordinal), this.#tail)
      this.#tail = new Uint8Array(HASHES_A_ROW * HASH_BYTES)
    }
    const document = heldDocument(infoHash, { ordinal, serial: 0, isVisible: false, postings: 0 }, [])
    this.changed(document)
    return document
  }

  /** It is stored with the next `flush`; one without offers is removed by it. */
  changed(document: HeldDocument): void {
    this.#held.set(document.infoHash, document)
    this.#changed.set(document.infoHash, document)
  }

  /** Every document, in the order of the ordinals. */
  *all(): Generator<HeldDocument> {
    for (let ordinal = 0; ordinal < this.#count; ordinal++) {
      const document = this.at(ordinal)
      if (document !== undefined) yield document
    }
  }

  /** Puts some of what changed into the rows. @returns false if nothing is left */
  flushSome(max: number): boolean {
    let count = 0
    for (const [infoHash, document] of this.#changed) {
      if (count++ >= max) return true
      this.#changed.delete(infoHash)
      if (document.storedHash !== undefined) this.digest.subtract(0, document.storedHash)
      document.storedHash = undefined
      if (document.offers.length === 0) {
        this.#rows.delete(documentKey(infoHash))
        this.#held.delete(infoHash)
        continue
      }
      const writer = this.#writer
      writer.clear()
      writeHead(writer, document)
      const at = writer.length
      writeOffers(writer, document.offers)
      const row = writer.take()
      document.storedHash = this.#hash(infoHash, row.subarray(at))
      this.digest.add(0, document.storedHash)
      this.#rows.put(documentKey(infoHash), row)
    }
    return false
  }

  /** Puts all that changed into the rows. */
  flush(): void {
    while (this.flushSome(this.#changed.size));
    if (this.#count % HASHES_A_ROW > 0) this.#rows.put(hashesKey(this.#count), this.#tail.slice())
    this.#letGo()
  }

  #keep(document: HeldDocument): void {
    this.#held.set(document.infoHash, document)
    if (this.#held.size > 2 * KEPT_MAX + this.#changed.size) this.#letGo()
  }

  /** The first that came go first: what is asked for often is soon here again. */
  #letGo(): void {
    let over = this.#held.size - this.#changed.size - KEPT_MAX
    for (const infoHash of this.#held.keys()) {
      if (over <= 0) return
      if (this.#changed.has(infoHash)) continue
      this.#held.delete(infoHash)
      over -= 1
    }
  }

  #infoHashAt(ordinal: number): InfoHash | undefined {
    if (ordinal >= this.#count) return undefined
    const isTail = Math.floor(ordinal / HASHES_A_ROW) === Math.floor(this.#count / HASHES_A_ROW)
    const row = isTail ? this.#tail : this.#hashRow(ordinal)
    if (row === undefined) return undefined
    return new ByteReader(row, (ordinal % HASHES_A_ROW) * HASH_BYTES).hex(HASH_BYTES) as InfoHash
  }

  #hashRow(ordinal: number): Uint8Array | undefined {
    const number = Math.floor(ordinal / HASHES_A_ROW)
    const kept = this.#hashRows.get(number)
    if (kept !== undefined) return kept
    const row = this.#rows.get(hashesKey(ordinal))
    if (this.#hashRows.size >= HASH_ROWS_KEPT) this.#hashRows.clear()
    // A full row never changes.
    if (row !== undefined) this.#hashRows.set(number, row)
    return row
  }

  #hash(infoHash: InfoHash, offers: Uint8Array): Uint8Array {
    const whole = new Uint8Array(HASH_BYTES + offers.length)
    const writer = new ByteWriter(HASH_BYTES)
    writer.hex(infoHash)
    whole.set(writer.view())
    whole.set(offers, HASH_BYTES)
    return this.#sha256(whole)
  }
}

const FILTER_DIGITS = 6

/** Which info hashes may be here: one bit for each beginning of 24 bits. Of a million, one in seventeen others is taken for known. */
class HashFilter {
  readonly #bits = new Uint8Array(16 ** FILTER_DIGITS / 8)

  /** Of the hash that begins there. */
  addAt(bytes: Uint8Array, at: number): void {
    const bit = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    this.#bits[bit >> 3] = (this.#bits[bit >> 3] as number) | (1 << (bit & 7))
  }

  mayHave(infoHash: string): boolean {
    const bit = Number.parseInt(infoHash.slice(0, FILTER_DIGITS), 16)
    return ((this.#bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }
}

const hashesKey = (ordinal: number): string => `n${key32(Math.floor(ordinal / HASHES_A_ROW))}`

const heldDocument = (infoHash: InfoHash, head: DocumentHead, offers: TorrentDocument['offers']): HeldDocument => ({
  ...head,
  ...{
    infoHash,
    offers,
    description: undefined,
    offered: 0,
    seeders: 0,
    backers: 0,
    party: '',
    verified: false,
    lastSeenAt: 0,
    keywords: [],
  },
  ...{ storedHash: undefined, epoch: -1, computedFor: Number.NaN },
})
