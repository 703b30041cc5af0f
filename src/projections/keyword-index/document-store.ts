import type { InfoHash } from '../../events/index.ts'
import { ByteReader, ByteWriter, hexKey, key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'
import {
  type AuthorNumbers,
  type DocumentHead,
  readHead,
  readOffers,
  writeDigested,
  writeHead,
  writeOffers,
} from './document-rows.ts'
import type { TorrentDocument } from './documents.ts'
import { HashFilter } from './hash-filter.ts'
import { SetDigests, type Sha256Of } from './set-digest.ts'

const HASH_BYTES = 20
/** Documents that are kept in memory when nothing of them waits to be stored: some two kilobytes each. */
const KEPT_MAX = 4_096

/** A document in memory, and what stands beside it in its row. */
export type HeldDocument = TorrentDocument &
  DocumentHead & {
    /** Digest of its offers as they were stored last, where it is known; `isStored`: there is a row of it. */
    storedHash: Uint8Array | undefined
    isStored: boolean
    /** For which lookup of parties it was computed, and for which time, ms since 1970. */
    epoch: number
    computedFor: number
  }

const documentKey = (ordinal: number): string => `t${key32(ordinal)}`
const ordinalKey = (infoHash: InfoHash): string => `h${hexKey(infoHash)}`

/**
 * Torrents by ordinal, in rows, and their ordinals by info hash; the last used ones and those that changed are in memory. Rows stand in
 * the order in which torrents came: a search reads one row for each, and what comes is written behind all others.
 */
export class DocumentStore {
  readonly #rows: RowTable
  readonly #sha256: Sha256Of
  readonly #authors: AuthorNumbers
  readonly #held = new Map<number, HeldDocument>()
  readonly #ordinals = new Map<InfoHash, number>()
  readonly #changed = new Map<number, HeldDocument>()
  readonly #writer = new ByteWriter(1024)
  /** Over all documents, each with its info hash. */
  readonly digest = new SetDigests(1)
  #count: number
  readonly #known: HashFilter

  /** @param mark `count`: ordinals given so far, in the rows; `digest`: over the documents there */
  constructor(
    rows: RowTable,
    sha256: Sha256Of,
    authors: AuthorNumbers,
    { count, digest }: { count: number; digest: Uint8Array },
  ) {
    this.#rows = rows
    this.#sha256 = sha256
    this.#authors = authors
    this.#count = count
    this.digest.add(0, digest)
    this.#known = new HashFilter(rows, count > 0)
  }

  /** Ordinals given so far. */
  get count(): number {
    return this.#count
  }

  find(infoHash: InfoHash): HeldDocument | undefined {
    const known = this.#ordinals.get(infoHash)
    if (known !== undefined) return this.#held.get(known)
    // Mostly a torrent that nobody has said anything of: no need to look for it on disk.
    if (!this.#known.mayHave(infoHash)) return undefined
    const row = this.#rows.get(ordinalKey(infoHash))
    return row === undefined ? undefined : this.at(new ByteReader(row).number())
  }

  at(ordinal: number): HeldDocument | undefined {
    const held = this.#held.get(ordinal)
    if (held !== undefined || ordinal >= this.#count) return held
    const row = this.#rows.get(documentKey(ordinal))
    if (row === undefined) return undefined
    const document = this.#read(ordinal, row)
    this.#keep(document)
    return document
  }

  #read(ordinal: number, row: Uint8Array): HeldDocument {
    const reader = new ByteReader(row)
    const head = readHead(reader)
    const infoHash = reader.hex(HASH_BYTES) as InfoHash
    const document = heldDocument(ordinal, infoHash, head, readOffers(reader, infoHash, this.#authors))
    document.isStored = true
    return document
  }

  create(infoHash: InfoHash): HeldDocument {
    const ordinal = this.#count++
    this.#known.add(infoHash)
    const document = heldDocument(ordinal, infoHash, { serial: 0, isVisible: false, postings: 0 }, [])
    this.changed(document)
    return document
  }

  /** It is stored with the next `flush`; one without offers is removed by it. */
  changed(document: HeldDocument): void {
    this.#held.set(document.ordinal, document)
    this.#ordinals.set(document.infoHash, document.ordinal)
    this.#changed.set(document.ordinal, document)
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
    for (const [ordinal, document] of this.#changed) {
      if (count++ >= max) return true
      this.#changed.delete(ordinal)
      const { infoHash, isStored } = document
      if (isStored) this.digest.subtract(0, document.storedHash ?? this.#hashStored(ordinal))
      document.storedHash = undefined
      document.isStored = false
      if (document.offers.length === 0) {
        this.#rows.delete(documentKey(ordinal))
        this.#rows.delete(ordinalKey(infoHash))
        this.#drop(document)
        continue
      }
      const writer = this.#writer
      writer.clear()
      writeHead(writer, document)
      writer.hex(infoHash)
      writeOffers(writer, document.offers, this.#authors)
      const row = writer.take()
      document.storedHash = this.#hash(document)
      document.isStored = true
      this.digest.add(0, document.storedHash)
      this.#rows.put(documentKey(ordinal), row)
      if (!isStored) this.#rows.put(ordinalKey(infoHash), ordinalRow(ordinal))
    }
    return false
  }

  /** Puts all that changed into the rows. */
  flush(): void {
    while (this.flushSome(this.#changed.size));
    this.#known.flush()
    this.#letGo()
  }

  #keep(document: HeldDocument): void {
    this.#held.set(document.ordinal, document)
    this.#ordinals.set(document.infoHash, document.ordinal)
    if (this.#held.size > 2 * KEPT_MAX + this.#changed.size) this.#letGo()
  }

  /** The first that came go first: what is asked for often is soon here again. */
  #letGo(): void {
    let over = this.#held.size - this.#changed.size - KEPT_MAX
    for (const [ordinal, document] of this.#held) {
      if (over <= 0) return
      if (this.#changed.has(ordinal)) continue
      this.#drop(document)
      over -= 1
    }
  }

  #drop({ ordinal, infoHash }: HeldDocument): void {
    this.#held.delete(ordinal)
    // One that was forgotten and came again has another.
    if (this.#ordinals.get(infoHash) === ordinal) this.#ordinals.delete(infoHash)
  }

  /** As it was stored. */
  #hashStored(ordinal: number): Uint8Array {
    return this.#hash(this.#read(ordinal, this.#rows.need(documentKey(ordinal))))
  }

  #hash({ infoHash, offers }: HeldDocument): Uint8Array {
    const writer = this.#writer
    writer.clear()
    writeDigested(writer, infoHash, offers)
    return this.#sha256(writer.view())
  }
}

function ordinalRow(ordinal: number): Uint8Array {
  const writer = new ByteWriter(8)
  writer.number(ordinal)
  return writer.take()
}

const heldDocument = (
  ordinal: number,
  infoHash: InfoHash,
  head: DocumentHead,
  offers: TorrentDocument['offers'],
): HeldDocument => ({
  ...head,
  ...{
    ordinal,
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
    words: undefined,
  },
  ...{ storedHash: undefined, isStored: false, epoch: -1, computedFor: Number.NaN },
})
