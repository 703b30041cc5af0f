import type { Appender, Envelope, InfoHash, NodeId, TorrentPublished } from '../../events/index.ts'
import { keywordsOf } from '../../projections/keyword-index/index.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import type { Refusal } from '../index-node/index-messages.ts'
import { type ClientStatus, type RefusedBy, ServiceError } from '../services.ts'
import type { OwnClaim, OwnClaims } from './own-claims.ts'
import type { Announcement, Publication, Publications } from './publications.ts'
import { REFUSAL_SENTENCES } from './refusals.ts'

export type PublisherOptions = {
  appender: Appender
  map: IndexMap
  publications: Publications
  claims: OwnClaims
}

export type Announced = {
  acknowledgedBy: NodeId[]
  partitions: number
  partitionsHeld: number
  pending: number
  acknowledged: boolean
  refused: RefusedBy[]
}

/** Owners of a keyword that must say they hold an entry before it is acknowledged, where there are so many: one may lie. */
const HOLDERS_MIN = 2

/** Says to the index what this client offers, and takes it back. */
export class Publisher {
  readonly #options: PublisherOptions

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** What we say of this torrent now. */
  claimOf(infoHash: InfoHash): OwnClaim | undefined {
    return this.#options.claims.get(infoHash)
  }

  /** True if a title has a keyword at all. */
  canBeFound(title: string): boolean {
    return keywordsOf(title).length > 0
  }

  /** Publishes, and waits until each owner of its keywords was tried once; what is left goes on in the background. */
  async publish(torrent: Omit<TorrentPublished, 'kind'>): Promise<Announced> {
    const { publication, announced } = await this.#claim({ kind: 'torrent.published', ...torrent })
    const { heldBy, lackedBy, refusedBy } = await announced
    const { map } = this.#options
    const owners = new Map(publication.keywords.map((keyword) => [map.partitionOf(keyword), map.ownersOf(keyword)]))
    const partitionsHeld = [...owners.values()].filter((some) => isHeld(some, heldBy)).length
    return {
      acknowledgedBy: heldBy,
      partitions: owners.size,
      partitionsHeld,
      acknowledged: partitionsHeld === owners.size,
      // Where no index node is known, at least one is still to be found.
      pending: heldBy.length === 0 && refusedBy.length === 0 ? Math.max(1, lackedBy.length) : lackedBy.length,
      refused: refusedBy.map(refusedByOf),
    }
  }

  /** Which index nodes do not take how many of our publications, and why. */
  refusals(): ClientStatus['refused'] {
    return this.#options.publications.refusals().map((row) => ({ ...refusedByOf(row), publications: row.publications }))
  }

  /** Says that we hold every piece: one seeder more in every answer. Nothing waits for it. */
  async verified(infoHash: InfoHash, title: string): Promise<void> {
    await this.#claim({ kind: 'torrent.verified', infoHash, title })
  }

  /** Takes back whatever was claimed of this torrent. */
  async withdraw(infoHash: InfoHash): Promise<void> {
    const claim = this.#options.claims.get(infoHash)
    if (claim === undefined) return
    const { title } = claim
    await this.#claim({ kind: 'torrent.withdrawn', infoHash, title })
  }

  /** `announced` settles when each owner was tried once. */
  async #claim(event: Claim): Promise<{ publication: Publication; announced: Promise<Announcement> }> {
    const { appender, claims, publications } = this.#options
    const before = claims.publicationOf(event.infoHash)
    const keywords = claims.keywordsFor(event.infoHash, event.title)
    let envelope: Envelope | undefined
    try {
      ;[envelope] = await appender.append([{ event }], { durable: true })
    } catch (cause) {
      throw new ServiceError('failed', cause instanceof Error ? cause.message : String(cause), { cause })
    }
    if (envelope === undefined) throw new ServiceError('failed', 'the log took nothing')
    const publication = { author: envelope.author, authorSeq: envelope.authorSeq, keywords }
    // A verification of what we published ourselves takes no place: both go on.
    const isReplaced = claims.publicationOf(event.infoHash)?.authorSeq === publication.authorSeq
    return { publication, announced: publications.announce(publication, isReplaced ? before : undefined) }
  }
}

const refusedByOf = ({ node, code }: { node: NodeId; code: Refusal }): RefusedBy => ({
  ...{ node, code, reason: REFUSAL_SENTENCES[code] },
})

function isHeld(owners: readonly NodeId[], heldBy: readonly NodeId[]): boolean {
  const holders = owners.filter((owner) => heldBy.includes(owner)).length
  return holders > 0 && holders >= Math.min(HOLDERS_MIN, owners.length)
}

type Claim =
  | TorrentPublished
  | { kind: 'torrent.verified'; infoHash: InfoHash; title: string }
  | { kind: 'torrent.withdrawn'; infoHash: InfoHash; title: string }
