import { ByteReader, type ByteWriter } from '../bytes.ts'
import type { ClaimKind, Description, EventStamp, Offer, Placement } from './documents.ts'

// The row of a torrent: what is noted beside it (`DocumentHead`), then what its authors said, which is all that counts in
// digests.

/** `serial` of its listing, 0 while it is not listed. `isVisible`, `postings`: as they stand in the counters of the index. */
export type DocumentHead = { serial: number; isVisible: boolean; postings: number }

const CLAIMS: readonly ClaimKind[] = ['published', 'verified', 'withdrawn']
const HAS_DESCRIPTION = 4
/** The description's event is the one of the claim. */
const SAME_EVENT = 8
const HAS_TITLE = 16
/** The title of the claim is the one that was described before in this row, by its number. */
const KNOWN_TITLE = 32

const AUTHOR_BYTES = 32

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

export function writeOffers(writer: ByteWriter, offers: readonly Offer[]): void {
  const titles: string[] = []
  for (const { description } of offers) if (description !== undefined) titles.push(description.title)
  for (const { author, claim, description, placed, since } of offers) {
    writer.hex(author)
    const known = claim.title === null ? -1 : titles.indexOf(claim.title)
    const isSame = description?.by.authorSeq === claim.by.authorSeq
    writer.byte(
      CLAIMS.indexOf(claim.kind) |
        (description === undefined ? 0 : HAS_DESCRIPTION) |
        (isSame ? SAME_EVENT : 0) |
        (claim.title === null ? 0 : HAS_TITLE) |
        (known < 0 ? 0 : KNOWN_TITLE),
    )
    writeStamp(writer, claim.by)
    if (known >= 0) writer.number(known)
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
    for (const { by, partitions } of placed) {
      const stamp = by.authorSeq === claim.by.authorSeq ? 0 : by.authorSeq === description?.by.authorSeq ? 1 : 2
      writer.byte(stamp)
      if (stamp === 2) writeStamp(writer, by)
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

export function readOffers(reader: ByteReader): Offer[] {
  const offers: Offer[] = []
  const known: { offer: Offer; title: number }[] = []
  const titles: string[] = []
  while (!reader.isAtEnd) {
    const author = reader.hex(AUTHOR_BYTES) as Offer['author']
    const flags = reader.byte()
    const by = readStamp(reader)
    const kind = CLAIMS[flags & 3] ?? 'withdrawn'
    let title: string | null = null
    const knownTitle = (flags & KNOWN_TITLE) !== 0 ? reader.number() : -1
    if ((flags & HAS_TITLE) !== 0 && knownTitle < 0) title = reader.text()
    let description: Description | undefined
    let since = 0
    if ((flags & HAS_DESCRIPTION) !== 0) {
      const described = (flags & SAME_EVENT) !== 0 ? by : readStamp(reader)
      since = reader.number()
      const sizeBytes = reader.number()
      const fileCount = reader.number()
      const text = reader.text()
      titles.push(text)
      const tags = Array.from({ length: reader.number() }, () => reader.text())
      description = { by: described, fileCount, sizeBytes, tags, title: text }
    }
    const placed: Placement[] = Array.from({ length: reader.number() }, () => {
      const stamp = reader.byte()
      const placedBy = stamp === 0 ? by : stamp === 1 && description !== undefined ? description.by : readStamp(reader)
      let before = 0
      const partitions = Array.from({ length: reader.number() }, () => {
        const step = reader.number()
        before += step % 2 === 0 ? step / 2 : -(step - 1) / 2
        return before
      })
      return { by: placedBy, partitions }
    })
    const offer: Offer = { author, description, claim: { by, kind, title }, placed, since }
    if (knownTitle >= 0) known.push({ offer, title: knownTitle })
    offers.push(offer)
  }
  for (const { offer, title } of known) offer.claim = { ...offer.claim, title: titles[title] ?? '' }
  return offers
}

export const offersOf = (row: Uint8Array, at: number): Offer[] => readOffers(new ByteReader(row, at))
