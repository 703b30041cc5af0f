import { type Envelope, type EventOf, type InfoHash, type NodeId, OPEN_PARTY } from '../../events/index.ts'
import type { Presence } from './renewals.ts'
import { partitionsOf } from './sharding.ts'
import { hashKeyword, keywordsOf, type TitleWords, titleWords } from './text/index.ts'

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
/** An author's last word on whether it offers the torrent; `title`: the one under which it checked every piece. */
export type Claim = { readonly by: EventStamp; readonly kind: ClaimKind; readonly title: string | null }

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
  /** Where its first description stands in this node's log; 0 without one. Its later ones keep the place. */
  since: number
}

/** `title`: where these are the partitions of that title and of the torrent itself, all of them. */
export type Placement = { readonly by: EventStamp; readonly partitions: readonly number[]; readonly title?: string }

export const isPlaced = (offer: Offer, partition: number): boolean =>
  offer.placed.some(({ partitions }) => partitions.includes(partition))

/** A torrent: all that was said of one info hash. */
export type TorrentDocument = {
  /** Its place in the order in which torrents came here. */
  readonly ordinal: number
  readonly infoHash: InfoHash
  /** In the order of their authors. */
  readonly offers: Offer[]
  /** What is shown, and whose words it is: undefined while nobody described it. */
  description: (Description & { readonly author: NodeId }) | undefined
  /** Authors whose last word is that they hold it, whether they are there or not. */
  offered: number
  /** Those of them that are there, as far as is known. */
  seeders: number
  /** Parties that these belong to: one person may have many keys. */
  backers: number
  /** Of the author whose description is shown; empty while there is none. */
  party: string
  /** One of them has checked every piece. */
  verified: boolean
  /** When any of those who hold it was heard of last, ms since 1970; 0 where nobody is. */
  lastSeenAt: number
  /** Keywords under which it can be found; empty while it cannot. */
  keywords: readonly string[]
  /** Words of the displayed title with their positions; undefined until `wordsShown` computes them. */
  words: TitleWords | undefined
}

export type TorrentEvent = EventOf<'torrent.published' | 'torrent.withdrawn' | 'torrent.verified'>

const CLAIM_OF: { readonly [K in TorrentEvent['kind']]: ClaimKind } = {
  'torrent.published': 'published',
  'torrent.verified': 'verified',
  'torrent.withdrawn': 'withdrawn',
}

const stampOf = ({ at, authorSeq, lamport, seq }: Envelope): EventStamp => ({ at, authorSeq, lamport, seq })

/**
 * Who answers for an author: its invitation, or itself where nobody invited it. Undefined for one whose admission the
 * owner took back: what it said counts nothing. Keys cost nothing where many may join with one invitation, so that votes
 * and places are given to parties.
 */
export type PartyOf = (author: NodeId) => string | undefined

export const isActive = (offer: Offer): boolean => offer.claim.kind !== 'withdrawn'

/** Places an event in those of the `partitions` of its title where it is the last one. @returns false if it is in none */
function moveTo(offer: Offer, by: EventStamp, partitions: readonly number[], title: string): boolean {
  const later = offer.placed.filter((group) => compareStamps(group.by, by) > 0)
  const taken = partitions.filter((partition) => !later.some((group) => group.partitions.includes(partition)))
  // A word without partitions (an empty title) still says that the author spoke; it just lives nowhere.
  if (taken.length === 0) return false
  const earlier = offer.placed
    .filter((group) => compareStamps(group.by, by) < 0)
    .map((group) => ({ by: group.by, partitions: group.partitions.filter((partition) => !taken.includes(partition)) }))
    .filter((group) => group.partitions.length > 0)
  const isAll = taken.length === partitions.length
  offer.placed = [...earlier, { by, partitions: taken, ...(isAll ? { title } : {}) }, ...later]
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
  const claim: Claim = { by, kind: CLAIM_OF[event.kind], title: event.kind === 'torrent.verified' ? event.title : null }
  const titled = { title: event.title, keywords: keywordsOf(event.title) }
  const partitions = partitionsOf([...titled.keywords, hashKeyword(event.infoHash)])
  const { offers } = document
  const at = offers.findIndex(({ author }) => author >= envelope.author)
  const found = at < 0 ? undefined : offers[at]
  let offer: Offer
  let changed = true
  let newPartitions: readonly number[] = partitions
  if (found?.author === envelope.author) {
    offer = found
    newPartitions = partitions.filter((partition) => !isPlaced(offer, partition))
    changed = moveTo(offer, by, partitions, event.title)
    if (compareStamps(offer.claim.by, by) < 0) {
      offer.claim = sharing(document, claim)
      changed = true
    }
  } else {
    offer = {
      author: envelope.author,
      description: undefined,
      claim: sharing(document, claim),
      placed: partitions.length > 0 ? [{ by, partitions, title: event.title }] : [],
      since: 0,
    }
    if (at < 0) offers.push(offer)
    else offers.splice(at, 0, offer)
  }
  if (event.kind === 'torrent.published') {
    if (offer.since === 0) offer.since = by.seq
    if (offer.description === undefined || compareStamps(offer.description.by, by) < 0) {
      const { title, sizeBytes, fileCount, tags } = event
      offer.description = { by, fileCount, sizeBytes, tags, title }
      changed = true
    }
  }
  return changed ? { offer, newPartitions, titled } : undefined
}

/** The same claim with a title that the document has already: hundreds of seeders name the same one. */
function sharing({ offers }: TorrentDocument, claim: Claim): Claim {
  if (claim.title === null) return claim
  for (const { description, claim: other } of offers) {
    if (description?.title === claim.title) return { ...claim, title: description.title }
    if (other.title === claim.title) return { ...claim, title: other.title }
  }
  return claim
}

type Described = Offer & { description: Description }
const isDescribed = (offer: Offer): offer is Described => offer.description !== undefined

/** Offers whose description counts: of those who still hold it, or else of anybody, so that seeders alone keep it findable. */
export function describedOf(offers: readonly Offer[]): readonly Described[] {
  const [only] = offers
  if (offers.length === 1) return only !== undefined && isDescribed(only) ? [only] : []
  const described = offers.filter(isDescribed)
  const active = described.filter(isActive)
  return active.length > 0 ? active : described
}

/**
 * The description that is shown. The one that came here first holds its place: what a publisher writes into its stamps
 * proves nothing. Another title takes it when more parties have checked every piece under that one: each party counts
 * once, and the first describer's counts for its own title.
 */
function shownOf(described: readonly Described[], offers: readonly Offer[], partyOf: PartyOf): Described | undefined {
  const [only] = described
  if (described.length <= 1 || only === undefined) return only
  const bySeniority = [...described].sort((a, b) => a.since - b.since || (a.author < b.author ? -1 : 1))
  const first = bySeniority[0] ?? only
  const backers = new Map(described.map(({ description }) => [description.title, new Set<string>()]))
  const strangers = new Map(described.map(({ description }) => [description.title, new Set<string>()]))
  const count = (author: NodeId, title: string): void => {
    const party = partyOf(author)
    if (party === OPEN_PARTY) strangers.get(title)?.add(author)
    else if (party !== undefined) backers.get(title)?.add(party)
  }
  count(first.author, first.description.title)
  for (const { author, claim } of offers) if (claim.title !== null) count(author, claim.title)
  const size = (sets: ReadonlyMap<string, ReadonlySet<string>>, { description }: Described): number =>
    sets.get(description.title)?.size ?? 0
  // Invitations first: the keys of those whom nobody invited cost nothing. The order of those that are level stays.
  return bySeniority.sort((a, b) => size(backers, b) - size(backers, a) || size(strangers, b) - size(strangers, a))[0]
}

/** A title that was just taken apart: doing it twice for each event would halve the speed of a rebuild. */
export type TitleKeywords = { readonly title: string; readonly keywords: readonly string[] }

/** Whether an author is there, and when it was heard of last; see renewals.ts. */
export type PresenceOf = (offer: Offer) => Presence

/** For a fold, which has no clock: all are there who ever said so. */
export const ALWAYS_THERE: PresenceOf = ({ claim }) => ({ counts: true, lastSeenAt: claim.by.at })

/** Computes what follows from the offers, in place. */
export function summarize(
  document: TorrentDocument,
  partyOf: PartyOf,
  { presenceOf = ALWAYS_THERE, titled }: { presenceOf?: PresenceOf; titled?: TitleKeywords | undefined } = {},
): void {
  const offers = countedOf(document.offers, partyOf)
  const active = offers.filter(isActive)
  const presences = active.map(presenceOf)
  const there = active.filter((_, index) => presences[index]?.counts === true)
  document.offered = active.length
  document.seeders = there.length
  document.backers = there.length <= 1 ? there.length : new Set(there.map(({ author }) => partyOf(author))).size
  document.verified = there.some(({ claim }) => claim.kind === 'verified')
  document.lastSeenAt = presences.reduce((latest, { lastSeenAt }) => Math.max(latest, lastSeenAt), 0)
  const described = describedOf(offers)
  const shown = shownOf(described, active, partyOf)
  document.description = shown && { author: shown.author, ...shown.description }
  document.party = (shown && partyOf(shown.author)) ?? ''
  document.words = undefined
  if (active.length === 0 || shown === undefined) document.keywords = []
  else {
    const titles = titlesOf(shown, described, active, partyOf)
    // A search wants to know where they stand as well: the title is taken apart once.
    if (titles.length > 1 || titled?.title === titles[0]) document.keywords = keywordsIn(titles, titled)
    else document.keywords = [...wordsShown(document).places.keys()]
  }
}

/** Words of the displayed title with their positions, computed once per document. */
export function wordsShown(document: TorrentDocument): TitleWords {
  document.words ??= titleWords(document.description?.title ?? '')
  return document.words
}

function keywordsIn(titles: readonly string[], titled: TitleKeywords | undefined): readonly string[] {
  const wordsOf = (title: string): readonly string[] => (title === titled?.title ? titled.keywords : keywordsOf(title))
  const [title] = titles
  if (titles.length === 1 && title !== undefined) return wordsOf(title)
  return [...new Set(titles.flatMap(wordsOf))]
}

/**
 * The titles under which a torrent is found: the one that is shown, and those under which somebody else than their author
 * has checked every piece, if there are enough of them. Whoever calls a popular torrent by another name is not found by it.
 */
export function titlesOf(
  shown: Offer & { readonly description: Description | undefined },
  described: readonly Offer[],
  active: readonly Offer[],
  partyOf: PartyOf,
): string[] {
  const title = shown.description?.title ?? ''
  const titles = new Set(described.map(({ description }) => description?.title ?? ''))
  if (titles.size <= 1) return [title]
  const parties = new Map([...titles].map((other) => [other, new Set<string>()]))
  for (const { author, claim } of active) {
    const party = partyOf(author)
    if (claim.title !== null && party !== undefined) parties.get(claim.title)?.add(party === OPEN_PARTY ? author : party)
  }
  const enough = Math.max(1, (parties.get(title)?.size ?? 0) / TITLE_SHARE)
  return [title, ...[...titles].filter((other) => other !== title && (parties.get(other)?.size ?? 0) >= enough)]
}

/** Another title counts where it has at least this part of the parties of the one that is shown. */
const TITLE_SHARE = 4

/** Offers of those whose admission the owner has not taken back. */
export const countedOf = (offers: readonly Offer[], partyOf: PartyOf): readonly Offer[] =>
  offers.every(({ author }) => partyOf(author) !== undefined)
    ? offers
    : offers.filter(({ author }) => partyOf(author) !== undefined)

/** True if a search can find it: also where nobody is there now who holds it. */
export const isVisible = (document: TorrentDocument): boolean => document.offered > 0 && document.description !== undefined

/** How far an event may say to be ahead of here, ms: clocks differ. */
const AHEAD_MS_MAX = 10 * 60 * 1000

/** The time that an author gives, ms since 1970; 0 where that is yet to come, and so not true. Without a clock all is believed. */
export const believedTime = (at: number, now: number | undefined): number =>
  now !== undefined && at > now + AHEAD_MS_MAX ? 0 : at

/** When a description was made, as far as its author is believed. */
export const publishedAt = ({ description }: TorrentDocument, now: number | undefined): number =>
  believedTime(description?.by.at ?? 0, now)

/** Where a description stands among others by its stamp; the first of all where its stamp cannot be true. */
export const publishedStamp = (document: TorrentDocument, now: number | undefined): number =>
  publishedAt(document, now) === 0 ? 0 : (document.description?.by.lamport ?? 0)

/**
 * Static rank: more parties that hold it first, then more seeders, the later published, and by info hash; negative if
 * `a` is first. Compares visible documents.
 */
export function compareRank(a: TorrentDocument, b: TorrentDocument, now: number | undefined): number {
  if (a.backers !== b.backers) return b.backers - a.backers
  if (a.seeders !== b.seeders) return b.seeders - a.seeders
  const published = publishedStamp(b, now) - publishedStamp(a, now)
  if (published !== 0) return published
  return a.infoHash < b.infoHash ? -1 : a.infoHash > b.infoHash ? 1 : 0
}
