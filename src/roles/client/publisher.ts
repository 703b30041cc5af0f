import type { Appender, Draft, Envelope, InfoHash, NodeId, TorrentPublished } from '../../events/index.ts'
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
    const [announced] = await this.publishMany([torrent])
    return announced as Promise<Announced>
  }

  /**
   * Publishes several in one write to the log.
   * @returns for each, what settles when the owners of its keywords were tried once; none of them rejects
   */
  async publishMany(torrents: readonly Omit<TorrentPublished, 'kind'>[]): Promise<Promise<Announced>[]> {
    const claims = await this.#claim(torrents.map((torrent) => ({ kind: 'torrent.published', ...torrent })))
    return claims.map((claim) => this.#announced(claim))
  }

  async #announced({ publication, announced }: Told): Promise<Announced> {
    const { map } = this.#options
    const { heldBy, lackedBy, refusedBy } = await announced
    const owners = new Map(publication.keywords.map((keyword) => [map.partitionOf(keyword), map.ownersOf(keyword)]))
    const partitionsHeld = [...owners.values()].filter((some) => isHeld(some, heldBy)).length
    // Where all owners of a word have better ones it counts as done, as long as owners of others keep it.
    const below = new Set(refusedBy.flatMap(({ node, code }) => (code === 'below-rank' ? [node] : [])))
    const done = [...owners.values()].filter((some) => isHeld(some, heldBy) || isBelow(some, below, heldBy)).length
    return {
      acknowledgedBy: heldBy,
      partitions: owners.size,
      partitionsHeld,
      acknowledged: partitionsHeld > 0 && done === owners.size,
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
    await this.#claim([{ kind: 'torrent.verified', infoHash, title }])
  }

  /** Takes back whatever was claimed of this torrent. */
  async withdraw(infoHash: InfoHash): Promise<void> {
    const claim = this.#options.claims.get(infoHash)
    if (claim === undefined) return
    const { title } = claim
    await this.#claim([{ kind: 'torrent.withdrawn', infoHash, title }])
  }

  /** Says that all we offer still holds, to whoever owns a keyword of any of it. Nothing waits for them. */
  async renew(): Promise<void> {
    const { claims, publications } = this.#options
    const before = claims.renewal
    const keywords = claims.keywordsOfPartitions
    for (const { author, authorSeq } of await this.#append([{ kind: 'offers.renewed' }]))
      void publications.announce({ author, authorSeq, keywords }, before)
  }

  async #claim(events: readonly Claim[]): Promise<Told[]> {
    const { claims, publications } = this.#options
    const before = events.map(({ infoHash, title }) => ({
      publication: claims.publicationOf(infoHash),
      keywords: claims.keywordsFor(infoHash, title),
    }))
    const envelopes = await this.#append(events)
    return envelopes.map(({ author, authorSeq }, place) => {
      const { publication: replaced, keywords = [] } = before[place] ?? {}
      const publication = { author, authorSeq, keywords }
      const infoHash = events[place]?.infoHash
      // A verification of what we published ourselves takes no place: both go on.
      const isReplaced = infoHash !== undefined && claims.publicationOf(infoHash)?.authorSeq === authorSeq
      return { publication, announced: publications.announce(publication, isReplaced ? replaced : undefined) }
    })
  }

  /** @throws ServiceError `failed` if the log takes less than all */
  async #append(events: readonly Draft['event'][]): Promise<readonly Envelope[]> {
    let envelopes: readonly Envelope[]
    try {
      envelopes = await this.#options.appender.append(
        events.map((event) => ({ event })),
        { durable: true },
      )
    } catch (cause) {
      throw new ServiceError('failed', cause instanceof Error ? cause.message : String(cause), { cause })
    }
    if (envelopes.length < events.length) throw new ServiceError('failed', 'the log took nothing')
    return envelopes
  }
}

const refusedByOf = ({ node, code }: { node: NodeId; code: Refusal }): RefusedBy => ({
  ...{ node, code, reason: REFUSAL_SENTENCES[code] },
})

function isHeld(owners: readonly NodeId[], heldBy: readonly NodeId[]): boolean {
  const holders = owners.filter((owner) => heldBy.includes(owner)).length
  return holders > 0 && holders >= Math.min(HOLDERS_MIN, owners.length)
}

/** Nobody of them lacks it but those whose places others have. */
function isBelow(owners: readonly NodeId[], below: ReadonlySet<NodeId>, heldBy: readonly NodeId[]): boolean {
  return owners.some((owner) => below.has(owner)) && owners.every((owner) => below.has(owner) || heldBy.includes(owner))
}

/** `announced` settles when each owner was tried once. */
type Told = { readonly publication: Publication; readonly announced: Promise<Announcement> }

type Claim =
  | TorrentPublished
  | { kind: 'torrent.verified'; infoHash: InfoHash; title: string }
  | { kind: 'torrent.withdrawn'; infoHash: InfoHash; title: string }
