import type { Envelope, EventLog, InfoHash, NodeId } from '../../events/index.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import type { Publication } from './publications.ts'

export type OwnClaim = {
  infoHash: InfoHash
  title: string
  tags: readonly string[]
  withdrawn: boolean
  /** Our last word is its description, and not that we verified what others describe. */
  isPublished: boolean
  publication: Publication
}

/** The kinds that our claims follow from. */
const KINDS_OF_CLAIMS = ['torrent.published', 'torrent.verified', 'torrent.withdrawn', 'offers.renewed'] as const

/**
 * Our own last word about each torrent, folded from our index events: read once at the start, then followed. Withdrawals
 * stay in it, so that owners that were away when it was said are told later.
 */
export class OwnClaims {
  readonly #claims = new Map<InfoHash, OwnClaim>()
  /** A keyword of each partition that any of our titles is in: who owns them is told that we are here. At most 1,024. */
  readonly #partitions = new Map<number, string>()
  readonly #own: NodeId
  readonly #map: IndexMap
  #offered = 0
  #renewal: { publication: Publication; at: number } | undefined
  #firstOfferAt: number | undefined

  constructor(own: NodeId, map: IndexMap) {
    this.#own = own
    this.#map = map
  }

  /** What is claimed of this torrent now, undefined if nothing is or it was taken back. */
  get(infoHash: InfoHash): OwnClaim | undefined {
    const claim = this.#claims.get(infoHash)
    return claim?.withdrawn ? undefined : claim
  }

  /** Our last word about this torrent, a withdrawal too. */
  publicationOf(infoHash: InfoHash): Publication | undefined {
    return this.#claims.get(infoHash)?.publication
  }

  /** Where a new word about this torrent must be heard: wherever an earlier one was, too. */
  keywordsFor(infoHash: InfoHash, title: string): string[] {
    const known = this.#claims.get(infoHash)?.publication.keywords ?? []
    return [...new Set([...known, ...this.#map.keywordsOf(infoHash, title)])]
  }

  /** The last renewal, if there was one. */
  get renewal(): Publication | undefined {
    return this.#renewal?.publication
  }

  /** A keyword of each partition with any title of ours. */
  get keywordsOfPartitions(): string[] {
    return [...this.#partitions.values()]
  }

  /** When we said last that we offer what we do, ms since 1970; undefined while we offer nothing. */
  get renewedAt(): number | undefined {
    return this.#offered === 0 ? undefined : (this.#renewal?.at ?? this.#firstOfferAt)
  }

  publications(): Publication[] {
    const claims = [...this.#claims.values()].map(({ publication }) => publication)
    return this.#renewal === undefined ? claims : [...claims, this.#renewal.publication]
  }

  async read(log: Pick<EventLog, 'readBatches'>): Promise<void> {
    for await (const batch of log.readBatches({ kinds: KINDS_OF_CLAIMS })) this.apply(batch)
  }

  apply(envelopes: readonly Envelope[]): void {
    for (const { event, author, authorSeq, at } of envelopes) {
      if (author !== this.#own) continue
      if (event.kind === 'offers.renewed') {
        this.#renewal = { publication: { author, authorSeq, keywords: this.keywordsOfPartitions }, at }
        continue
      }
      if (event.kind !== 'torrent.published' && event.kind !== 'torrent.verified' && event.kind !== 'torrent.withdrawn')
        continue
      const { infoHash, title } = event
      // A verification adds nothing to what was published by ourselves.
      if (event.kind === 'torrent.verified' && this.get(infoHash) !== undefined) continue
      const keywords = this.keywordsFor(infoHash, title)
      const tags = event.kind === 'torrent.published' ? event.tags : []
      const withdrawn = event.kind === 'torrent.withdrawn'
      const isPublished = event.kind === 'torrent.published'
      const publication = { author, authorSeq, keywords }
      const wasOffered = this.get(infoHash) !== undefined
      this.#claims.set(infoHash, { infoHash, title, tags, withdrawn, isPublished, publication })
      this.#offered += Number(!withdrawn) - Number(wasOffered)
      if (!withdrawn) this.#firstOfferAt ??= at
      for (const keyword of keywords) this.#partitions.set(this.#map.partitionOf(keyword), keyword)
    }
  }
}
