import { compareCanonically, type Envelope, type EventOf, type InfoHash, type NodeId } from '../../events/index.ts'
import { partitionsOf } from './sharding.ts'
import { keywordsOf } from './tokenizer.ts'

/** Where an event stands: in canonical order among all nodes, and (`seq`) in this node's log. */
export type EventStamp = Pick<Envelope, 'lamport' | 'author' | 'stream' | 'authorSeq' | 'at' | 'seq'>

export type Description = {
  readonly title: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly tags: readonly string[]
  readonly by: EventStamp
}

export type ClaimKind = 'published' | 'verified' | 'withdrawn'
/** An author's last word on whether it offers the torrent. */
export type Claim = { readonly kind: ClaimKind; readonly by: EventStamp }

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
  /** What is shown: undefined while nobody described it. */
  description: Description | undefined
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

const stampOf = ({ lamport, author, stream, authorSeq, at, seq }: Envelope): EventStamp => ({
  ...{ lamport, author, stream, authorSeq, at, seq },
})

export const isActive = (offer: Offer): boolean => offer.claim.kind !== 'withdrawn'

/** Places an event in those of `partitions` where it is the last one. @returns false if it is in none */
function moveTo(offer: Offer, by: EventStamp, partitions: readonly number[]): boolean {
  const later = offer.placed.filter((group) => compareCanonically(group.by, by) > 0)
  const taken = partitions.filter((partition) => !later.some((group) => group.partitions.includes(partition)))
  // A word without partitions (an empty title) still says that the author spoke; it just lives nowhere.
  if (taken.length === 0) return false
  const earlier = offer.placed
    .filter((group) => compareCanonically(group.by, by) < 0)
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
): { offer: Offer; newPartitions: readonly number[] } | undefined {
  const by = stampOf(envelope)
  const claim: Claim = { kind: CLAIM_OF[event.kind], by }
  const partitions = partitionsOf(keywordsOf(event.title))
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
    if (compareCanonically(offer.claim.by, by) < 0) {
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
    if (offer.description === undefined || compareCanonically(offer.description.by, by) < 0) {
      const { title, sizeBytes, fileCount, tags } = event
      offer.description = { title, sizeBytes, fileCount, tags, by }
      changed = true
    }
  }
  return changed ? { offer, newPartitions } : undefined
}

/** Descriptions that count: of those who still offer it, or else of anybody, so that seeders alone keep it findable. */
function descriptionsOf(offers: readonly Offer[]): Description[] {
  const of = (list: readonly Offer[]) => list.map(({ description }) => description).filter((one) => one !== undefined)
  const active = of(offers.filter(isActive))
  return active.length > 0 ? active : of(offers)
}

/** The title that most authors gave, as the first of them (in canonical order) described it. */
function shownOf(descriptions: readonly Description[]): Description | undefined {
  if (descriptions.length <= 1) return descriptions[0]
  const votes = new Map<string, number>()
  for (const { title } of descriptions) votes.set(title, (votes.get(title) ?? 0) + 1)
  return [...descriptions].sort(
    (a, b) => (votes.get(b.title) ?? 0) - (votes.get(a.title) ?? 0) || compareCanonically(a.by, b.by),
  )[0]
}

/** Computes what follows from the offers, in place. @returns the keywords it is to be listed under */
export function summarize(document: TorrentDocument): string[] {
  const active = document.offers.filter(isActive)
  document.seeders = active.length
  document.verified = active.some(({ claim }) => claim.kind === 'verified')
  const descriptions = descriptionsOf(document.offers)
  document.description = shownOf(descriptions)
  if (document.seeders === 0) return []
  const titles = new Set(descriptions.map(({ title }) => title))
  const [only] = titles
  if (titles.size <= 1) return only === undefined ? [] : keywordsOf(only)
  return [...new Set([...titles].flatMap(keywordsOf))]
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
