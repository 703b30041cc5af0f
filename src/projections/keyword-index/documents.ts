import type { Envelope, EventOf, InfoHash, NodeId } from '../../events/index.ts'
import { partitionsOf } from './sharding.ts'
import { keywordsOf } from './tokenizer.ts'

/**
 * Where an event of the index stream stands among its author's, and (`seq`) in this node's log. The author is the
 * offer's. Keys in ascending order here and below: rows are written as they are.
 */
export type EventStamp = Pick<Envelope, 'at' | 'authorSeq' | 'lamport' | 'seq'>

/** Order of one author's events; negative if `a` is first. */
const compareStamps = (a: EventStamp, b: EventStamp): number => a.lamport - b.lamport || a.authorSeq - b.authorSeq

export type Description = {
  readonly by: EventStamp
  readonly fileCount: number
  readonly sizeBytes: number
  readonly tags: readonly string[]
  readonly title: string
}

export type ClaimKind = 'published' | 'verified' | 'withdrawn'
/** An author's last word on whether it offers the torrent. */
export type Claim = { readonly by: EventStamp; readonly kind: ClaimKind }

/** What one author says of one torrent: its last description, and its last word. */
export type Offer = {
  readonly author: NodeId
  description: Description | undefined
  claim: Claim
  /**
   * For each partition that any of this author's titles belongs to, the last event with such a title; groups in
   * canonical order, no partition twice. Older titles keep their place: their owners must learn the newer word too,
   * and a peer that has only the newer word would not know that it belongs there.
   */
  placed: readonly Placement[]
}

export type Placement = { readonly by: EventStamp; readonly partitions: readonly number[] }

export const partitionsOfOffer = (offer: Offer): number[] => offer.placed.flatMap(({ partitions }) => partitions)
export const isPlaced = (offer: Offer, partition: number): boolean =>
  offer.placed.some(({ partitions }) => partitions.includes(partition))

/** A torrent: all that was said of one info hash. */
export type TorrentDocument = {
  readonly ordinal: number
  readonly infoHash: InfoHash
  /** In the order of their authors. */
  readonly offers: Offer[]
  /** What is shown, and whose words it is: undefined while nobody described it. */
  description: (Description & { readonly author: NodeId }) | undefined
  /** Authors whose last word is that they hold it. */
  seeders: number
  /** One of them has checked every piece. */
  verified: boolean
  /** Keywords it is listed under now; empty while it cannot be found. */
  words: readonly WordEntry[]
}

/** A keyword with its documents, see postings.ts. */
export type WordEntry = {
  readonly word: string
  /** Documents that have the word now. */
  documentCount: number
  /** Ordinals; some may have lost the word since, or stand here twice, until the list is put in order. */
  ordinals: number[]
  ordered: boolean
}

export type TorrentEvent = EventOf<'torrent.published' | 'torrent.withdrawn' | 'torrent.verified'>

const CLAIM_OF: { readonly [K in TorrentEvent['kind']]: ClaimKind } = {
  'torrent.published': 'published',
  'torrent.verified': 'verified',
  'torrent.withdrawn': 'withdrawn',
}

const stampOf = ({ at, authorSeq, lamport, seq }: Envelope): EventStamp => ({ at, authorSeq, lamport, seq })

export const isActive = (offer: Offer): boolean => offer.claim.kind !== 'withdrawn'

/** Places an event in those of `partitions` where it is the last one. @returns false if it is in none */
function moveTo(offer: Offer, by: EventStamp, partitions: readonly number[]): boolean {
  const later = offer.placed.filter((group) => compareStamps(group.by, by) > 0)
  const taken = partitions.filter((partition) => !later.some((group) => group.partitions.includes(partition)))
  // A word without partitions (an empty title) still says that the author spoke; it just lives nowhere.
  if (taken.length === 0) return false
  const earlier = offer.placed
    .filter((group) => compareStamps(group.by, by) < 0)
    .map((group) => ({ by: group.by, partitions: group.partitions.filter((partition) => !taken.includes(partition)) }))
    .filter((group) => group.partitions.length > 0)
  offer.placed = [...earlier, { by, partitions: taken }, ...later]
  return true
}

/**
 * Puts an event into a document's offers: for each author the last word in canonical order counts.
 * @returns the offer, and the partitions that it newly belongs to; undefined if nothing changed
 */
export function foldOffer(
  document: TorrentDocument,
  envelope: Envelope,
  event: TorrentEvent,
): { offer: Offer; newPartitions: readonly number[]; titled: TitleKeywords } | undefined {
  const by = stampOf(envelope)
  const claim: Claim = { by, kind: CLAIM_OF[event.kind] }
  const titled = { title: event.title, keywords: keywordsOf(event.title) }
  const partitions = partitionsOf(titled.keywords)
  const { offers } = document
  const at = offers.findIndex(({ author }) => author >= envelope.author)
  const found = at < 0 ? undefined : offers[at]
  let offer: Offer
  let changed = true
  let newPartitions: readonly number[] = partitions
  if (found?.author === envelope.author) {
    offer = found
    newPartitions = partitions.filter((partition) => !isPlaced(offer, partition))
    changed = moveTo(offer, by, partitions)
    if (compareStamps(offer.claim.by, by) < 0) {
      offer.claim = claim
      changed = true
    }
  } else {
    offer = {
      author: envelope.author,
      description: undefined,
      claim,
      placed: partitions.length > 0 ? [{ by, partitions }] : [],
    }
    if (at < 0) offers.push(offer)
    else offers.splice(at, 0, offer)
  }
  if (event.kind === 'torrent.published') {
    if (offer.description === undefined || compareStamps(offer.description.by, by) < 0) {
      const { title, sizeBytes, fileCount, tags } = event
      offer.description = { by, fileCount, sizeBytes, tags, title }
      changed = true
    }
  }
  return changed ? { offer, newPartitions, titled } : undefined
}

type Described = Offer & { description: Description }
const isDescribed = (offer: Offer): offer is Described => offer.description !== undefined

/** Offers whose description counts: of those who still hold it, or else of anybody, so that seeders alone keep it findable. */
function describedOf(offers: readonly Offer[]): readonly Described[] {
  const [only] = offers
  if (offers.length === 1) return only !== undefined && isDescribed(only) ? [only] : []
  const described = offers.filter(isDescribed)
  const active = described.filter(isActive)
  return active.length > 0 ? active : described
}

/** The title that most authors gave, as the first of them (in canonical order) described it. */
function shownOf(offers: readonly Described[]): Described | undefined {
  if (offers.length <= 1) return offers[0]
  const votes = new Map<string, number>()
  for (const { description } of offers) votes.set(description.title, (votes.get(description.title) ?? 0) + 1)
  const votesOf = (offer: Described): number => votes.get(offer.description.title) ?? 0
  return [...offers].sort(
    (a, b) => votesOf(b) - votesOf(a) || a.description.by.lamport - b.description.by.lamport || (a.author < b.author ? -1 : 1),
  )[0]
}

/** A title that was just taken apart: doing it twice for each event would halve the speed of a rebuild. */
export type TitleKeywords = { readonly title: string; readonly keywords: readonly string[] }

/** Computes what follows from the offers, in place. @returns the keywords it is to be listed under */
export function summarize(document: TorrentDocument, titled?: TitleKeywords): readonly string[] {
  const wordsOf = (title: string): readonly string[] => (title === titled?.title ? titled.keywords : keywordsOf(title))
  const active = document.offers.filter(isActive)
  document.seeders = active.length
  document.verified = active.some(({ claim }) => claim.kind === 'verified')
  const described = describedOf(document.offers)
  const shown = shownOf(described)
  document.description = shown && { author: shown.author, ...shown.description }
  if (document.seeders === 0) return []
  const titles = new Set(described.map(({ description }) => description.title))
  const [only] = titles
  if (titles.size <= 1) return only === undefined ? [] : wordsOf(only)
  return [...new Set([...titles].flatMap(wordsOf))]
}

/** True if a search can find it. */
export const isVisible = (document: TorrentDocument): boolean => document.seeders > 0 && document.description !== undefined

/**
 * Static rank: more seeders first, then the later published, then by info hash; negative if `a` is first.
 * Compares visible documents.
 */
export function compareRank(a: TorrentDocument, b: TorrentDocument): number {
  if (a.seeders !== b.seeders) return b.seeders - a.seeders
  const published = (b.description?.by.lamport ?? 0) - (a.description?.by.lamport ?? 0)
  if (published !== 0) return published
  return a.infoHash < b.infoHash ? -1 : a.infoHash > b.infoHash ? 1 : 0
}
