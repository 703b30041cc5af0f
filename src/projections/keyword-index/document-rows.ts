import type { InfoHash, NodeId } from '../../events/index.ts'
import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { ClaimKind, Description, EventStamp, Offer, Placement } from './documents.ts'
import { partitionsOf } from './sharding.ts'
import { hashKeyword, keywordsOf } from './text/index.ts'

// The row of a torrent: what is noted beside it (`DocumentHead`), then what its authors said, which is all that counts in
// digests. What follows from something else in the index is not repeated: who an author is, and the partitions of a title.

/** `serial` of its listing, 0 while it is not listed. `isVisible`, `postings`: as they stand in the counters of the index. */
export type DocumentHead = { serial: number; isVisible: boolean; postings: number }

const CLAIMS: readonly ClaimKind[] = ['published', 'verified', 'withdrawn']
const HAS_DESCRIPTION = 4
/** The description's event is the one of the claim. */
const SAME_EVENT = 8
const HAS_TITLE = 16
/** The title of the claim is the one that was described before in this row, by its number. */
const KNOWN_TITLE = 32

export function writeHead(writer: ByteWriter, { serial, isVisible, postings }: DocumentHead): void {
  writer.number(serial)
  writer.number(2 * postings + Number(isVisible))
}

export function readHead(reader: ByteReader): DocumentHead {
  const serial = reader.number()
  const last = reader.number()
  return { serial, isVisible: last % 2 === 1, postings: Math.floor(last / 2) }
}

function writeStamp(writer: ByteWriter, { at, authorSeq, lamport, seq }: EventStamp): void {
  writer.number(at)
  writer.number(authorSeq)
  writer.number(lamport)
  writer.number(seq)
}

const readStamp = (reader: ByteReader): EventStamp => {
  const at = reader.number() as EventStamp['at']
  const authorSeq = reader.number()
  const lamport = reader.number() as EventStamp['lamport']
  return { at, authorSeq, lamport, seq: reader.number() }
}

/** Authors by number, so that a row does not repeat their ids. */
export type AuthorNumbers = { enter(id: NodeId): number; idOf(number: number): NodeId | undefined }

/** A placement whose partitions are those of a title that the row has, by its number. */
const BY_TITLE = 4

/** The numbers of the authors, and behind them what each of them said. */
export function writeOffers(writer: ByteWriter, offers: readonly Offer[], authors: AuthorNumbers): void {
  writer.number(offers.length)
  for (const { author } of offers) writer.number(authors.enter(author))
  writeSaid(writer, offers, true)
}

/** What authors said, without who they are. `byTitle`: partitions that follow from a title of the row are left out. */
function writeSaid(writer: ByteWriter, offers: readonly Offer[], byTitle: boolean): void {
  const titles: string[] = []
  for (const { description } of offers) if (description !== undefined) titles.push(description.title)
  const described = titles.length
  for (const { claim } of offers) if (claim.title !== null && !titles.includes(claim.title)) titles.push(claim.title)
  for (const { claim, description, placed, since } of offers) {
    const known = claim.title === null ? -1 : titles.indexOf(claim.title)
    const isKnown = known >= 0 && known < described
    const isSame = description?.by.authorSeq === claim.by.authorSeq
    writer.byte(
      CLAIMS.indexOf(claim.kind) |
        (description === undefined ? 0 : HAS_DESCRIPTION) |
        (isSame ? SAME_EVENT : 0) |
        (claim.title === null ? 0 : HAS_TITLE) |
        (isKnown ? KNOWN_TITLE : 0),
    )
    writeStamp(writer, claim.by)
    if (isKnown) writer.number(known)
    else if (claim.title !== null) writer.text(claim.title)
    if (description !== undefined) {
      if (!isSame) writeStamp(writer, description.by)
      writer.number(since)
      writer.number(description.sizeBytes)
      writer.number(description.fileCount)
      writer.text(description.title)
      writer.number(description.tags.length)
      for (const tag of description.tags) writer.text(tag)
    }
    writer.number(placed.length)
    for (const { by, partitions, title } of placed) {
      const stamp = by.authorSeq === claim.by.authorSeq ? 0 : by.authorSeq === description?.by.authorSeq ? 1 : 2
      const place = byTitle && title !== undefined ? titles.indexOf(title) : -1
      writer.byte(stamp | (place < 0 ? 0 : BY_TITLE))
      if (stamp === 2) writeStamp(writer, by)
      if (place >= 0) {
        writer.number(place)
        continue
      }
      writer.number(partitions.length)
      let before = 0
      for (const partition of partitions) {
        // Ascending as they are made, but for what a later event took out: differences from zero on both sides.
        writer.number(partition >= before ? 2 * (partition - before) : 2 * (before - partition) + 1)
        before = partition
      }
    }
  }
}

/** What a digest is made of: nothing that depends on the numbers of authors, or on when a row was stored. */
export function writeDigested(writer: ByteWriter, infoHash: InfoHash, offers: readonly Offer[]): void {
  writer.hex(infoHash)
  for (const { author } of offers) writer.hex(author)
  writeSaid(writer, offers, false)
}

/** Titles of a row by their number; those of descriptions stand first, and are known when all offers were read. */
type Titles = { readonly described: string[]; readonly claimed: string[] }

const titleAt = ({ described, claimed }: Titles, number: number): string =>
  (number < described.length ? described[number] : claimed[number - described.length]) ?? ''

/** A placement that works its partitions out when it is asked for them: a search never does. */
class TitlePlacement implements Placement {
  readonly by: EventStamp
  readonly #titles: Titles
  readonly #number: number
  readonly #infoHash: InfoHash
  #partitions: readonly number[] | undefined

  constructor(by: EventStamp, titles: Titles, number: number, infoHash: InfoHash) {
    this.by = by
    this.#titles = titles
    this.#number = number
    this.#infoHash = infoHash
  }

  get title(): string {
    return titleAt(this.#titles, this.#number)
  }

  get partitions(): readonly number[] {
    this.#partitions ??= partitionsOf([...keywordsOf(this.title), hashKeyword(this.#infoHash)])
    return this.#partitions
  }
}

export function readOffers(reader: ByteReader, infoHash: InfoHash, authors: AuthorNumbers): Offer[] {
  const ids = readList(reader, () => authors.idOf(reader.number()) ?? NOBODY)
  const offers: Offer[] = []
  const known: { offer: Offer; title: number }[] = []
  const titles: Titles = { described: [], claimed: [] }
  for (const author of ids) {
    const flags = reader.byte()
    const by = readStamp(reader)
    const kind = CLAIMS[flags & 3] ?? 'withdrawn'
    let title: string | null = null
    const knownTitle = (flags & KNOWN_TITLE) !== 0 ? reader.number() : -1
    if ((flags & HAS_TITLE) !== 0 && knownTitle < 0) {
      title = reader.text()
      if (!titles.claimed.includes(title)) titles.claimed.push(title)
    }
    let description: Description | undefined
    let since = 0
    if ((flags & HAS_DESCRIPTION) !== 0) {
      const described = (flags & SAME_EVENT) !== 0 ? by : readStamp(reader)
      since = reader.number()
      const sizeBytes = reader.number()
      const fileCount = reader.number()
      const text = reader.text()
      titles.described.push(text)
      const tags = readList(reader, () => reader.text())
      description = { by: described, fileCount, sizeBytes, tags, title: text }
    }
    const placed = readList(reader, () => readPlacement(reader, by, description, titles, infoHash))
    const offer: Offer = { author, description, claim: { by, kind, title }, placed, since }
    if (knownTitle >= 0) known.push({ offer, title: knownTitle })
    offers.push(offer)
  }
  for (const { offer, title } of known) offer.claim = { ...offer.claim, title: titles.described[title] ?? '' }
  return offers
}

/** Of a number that no row of authors has, which only a fault of ours makes. */
const NOBODY = '' as NodeId

function readPlacement(
  reader: ByteReader,
  claimedBy: EventStamp,
  description: Description | undefined,
  titles: Titles,
  infoHash: InfoHash,
): Placement {
  const flags = reader.byte()
  const stamp = flags & 3
  const by = stamp === 0 ? claimedBy : stamp === 1 && description !== undefined ? description.by : readStamp(reader)
  if ((flags & BY_TITLE) !== 0) return new TitlePlacement(by, titles, reader.number(), infoHash)
  let before = 0
  const partitions = readList(reader, () => {
    const step = reader.number()
    before += step % 2 === 0 ? step / 2 : -(step - 1) / 2
    return before
  })
  return { by, partitions }
}

function readList<T>(reader: ByteReader, read: () => T): T[] {
  const list: T[] = []
  for (let left = reader.number(); left > 0; left--) list.push(read())
  return list
}
