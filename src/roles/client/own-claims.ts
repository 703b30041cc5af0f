import type { Envelope, EventLog, InfoHash, NodeId } from '../../events/index.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import type { Publication } from './publications.ts'

export type OwnClaim = {
  infoHash: InfoHash
  title: string
  tags: readonly string[]
  withdrawn: boolean
  publication: Publication
}

/**
 * Our own last word about each torrent, folded from our index events: read once at the start, then followed. Withdrawals
 * stay in it, so that owners that were away when it was said are told later.
 */
export class OwnClaims {
  readonly #claims = new Map<InfoHash, OwnClaim>()
  readonly #own: NodeId
  readonly #map: IndexMap

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

  publications(): Publication[] {
    return [...this.#claims.values()].map(({ publication }) => publication)
  }

  async read(log: Pick<EventLog, 'readBatches'>): Promise<void> {
    for await (const batch of log.readBatches({ kinds: ['torrent.published', 'torrent.verified', 'torrent.withdrawn'] })) {
      this.apply(batch)
    }
  }

  apply(envelopes: readonly Envelope[]): void {
    for (const { event, author, authorSeq } of envelopes) {
      if (author !== this.#own) continue
      if (event.kind !== 'torrent.published' && event.kind !== 'torrent.verified' && event.kind !== 'torrent.withdrawn')
        continue
      const { infoHash, title } = event
      // A verification adds nothing to what was published by ourselves.
      if (event.kind === 'torrent.verified' && this.get(infoHash) !== undefined) continue
      const keywords = this.keywordsFor(infoHash, title)
      const tags = event.kind === 'torrent.published' ? event.tags : []
      const withdrawn = event.kind === 'torrent.withdrawn'
      this.#claims.set(infoHash, { infoHash, title, tags, withdrawn, publication: { author, authorSeq, keywords } })
    }
  }
}
