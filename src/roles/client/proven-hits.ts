import {
  BodyError,
  type ContentRules,
  type Event,
  eventOf,
  type InfoHash,
  NewerEventError,
  type NodeId,
  PayloadError,
  type SignedEvent,
  scanBody,
  type TorrentPublished,
  type TorrentVerified,
  type TorrentWithdrawn,
  type Upcast,
  type VerifySignature,
} from '../../events/index.ts'
import { presenceOf, type Query, titlesMatch } from '../../projections/keyword-index/index.ts'
import type { WireHit } from '../index-node/index-messages.ts'

// What an owner's hit is worth: as much as the signed events that came with it. An owner may leave out what it likes, and
// say any number of seeders; it can make up no title, size, tag or publisher.

/** Signatures checked in one turn; one takes some 60 microseconds. */
const CHECKED_IN_A_TURN = 64

export type ProofRules = {
  verify: VerifySignature
  upcast: Upcast
  rules: Pick<ContentRules, 'judge' | 'partyOf'>
  /** Makes the attempt now and with each admission that comes, until it succeeds or after `waitMs`. */
  untilAdmitted(attempt: () => boolean | Promise<boolean>, waitMs: number): Promise<void>
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
  /** ms since 1970. */
  now(): number
}

export type ProvenHit = Pick<TorrentPublished, 'title' | 'sizeBytes' | 'fileCount' | 'tags'> & {
  readonly infoHash: InfoHash
  readonly publisher: NodeId
  /** Who answers for the publisher. */
  readonly party: string
  readonly publishedAt: number
  /** Of the description that is shown: with the publisher it names the event that proves the hit. */
  readonly authorSeq: number
  /** That event. */
  readonly description: SignedEvent
  /** The owner's word; never fewer than are proven. */
  readonly seeders: number
  /** When any of those who offer it was heard of last, by the owner's word, ms since 1970. */
  readonly lastSeenAt: number
  /** Authors whose signed word came along that they hold it, and is not so old that they would have said so again since. */
  readonly provenSeeders: ReadonlySet<NodeId>
}

type TorrentEvent = TorrentPublished | TorrentVerified | TorrentWithdrawn
type Told = { author: NodeId; authorSeq: number; at: number; event: TorrentEvent }

/** `forged`: nobody signed it, or it is about something else: the answerer made that up. `unknown`: its author may come yet. */
type Fault = 'forged' | 'unknown' | 'not-admitted'

/** What an event says of a torrent; a fault where it proves nothing. */
export function told(
  { body, signature }: SignedEvent,
  infoHash: InfoHash,
  { verify, upcast, rules }: ProofRules,
): Told | Fault {
  try {
    const scanned = scanBody(body)
    if (scanned.stream !== 'index' || !verify('event', body, signature, scanned.author)) return 'forged'
    const event = eventOf(scanned, upcast)
    if (!isOfTorrent(event) || event.infoHash !== infoHash) return 'forged'
    const ruling = rules.judge(scanned, undefined)
    if (ruling !== 'take') return ruling === 'defer' ? 'unknown' : 'not-admitted'
    return { author: scanned.author, authorSeq: scanned.authorSeq, at: scanned.at, event }
  } catch (error) {
    if (error instanceof NewerEventError) return 'not-admitted'
    if (error instanceof BodyError || error instanceof PayloadError) return 'forged'
    throw error
  }
}

const isOfTorrent = (event: Event): event is TorrentEvent =>
  event.kind === 'torrent.published' || event.kind === 'torrent.verified' || event.kind === 'torrent.withdrawn'

/** The hit that a proof makes. Only what nobody signed is held against the answerer; another node's lag is not. */
function provenHit({ infoHash, seeders, lastSeenAt = 0, proof }: WireHit, query: Query, rules: ProofRules): ProvenHit | Fault {
  const [first, ...more] = proof.map((event) => told(event, infoHash, rules))
  if (first === undefined || first === 'forged' || more.includes('forged')) return 'forged'
  // Who takes it back proves no hit.
  if (more.some((one) => typeof one !== 'string' && one.event.kind === 'torrent.withdrawn')) return 'forged'
  if (typeof first === 'string') return first
  const { author, authorSeq, at, event } = first
  if (event.kind !== 'torrent.published') return 'forged'
  const all = [first, ...more.filter((one): one is Told => typeof one !== 'string')]
  const titles = all.flatMap((one) => (one.event.kind === 'torrent.published' ? [one.event.title] : []))
  if (!titlesMatch(query, titles, infoHash)) return 'not-admitted'
  const { title, sizeBytes, fileCount, tags } = event
  const now = rules.now()
  const there = all.filter((one) => presenceOf(one.at, undefined, now).counts)
  const provenSeeders = new Set(there.map((one) => one.author))
  return {
    ...{ infoHash, title, sizeBytes, fileCount, tags, publisher: author, publishedAt: at, authorSeq },
    description: proof[0] as SignedEvent,
    party: rules.rules.partyOf?.(author)?.key ?? author,
    ...{ seeders: Math.max(seeders, provenSeeders.size), lastSeenAt: Math.min(lastSeenAt, now), provenSeeders },
  }
}

/**
 * The hits of an answer that are proven, in its order, and the place of each in the answer; how many nobody has signed; and how
 * many are of authors unknown here.
 */
export async function provenHits(
  hits: readonly WireHit[],
  query: Query,
  rules: ProofRules,
  waitMs: number,
): Promise<{ hits: ProvenHit[]; places: number[]; forged: number; forgedOne: InfoHash | undefined; unknown: number }> {
  const proven: (ProvenHit | Fault)[] = []
  let checked = 0
  for (const hit of hits) {
    proven.push(provenHit(hit, query, rules))
    checked += hit.proof.length
    if (checked < CHECKED_IN_A_TURN) continue
    checked = 0
    await rules.yieldToEventLoop()
  }
  if (proven.includes('unknown')) {
    // We have just started, or its author has: who was let in comes with the gossip.
    await rules.untilAdmitted(() => {
      for (const [at, hit] of hits.entries()) {
        if (proven[at] !== 'unknown') continue
        proven[at] = provenHit(hit, query, rules)
        // The first of them tells whether it is worth while to look at the others.
        if (proven[at] === 'unknown') return false
      }
      return true
    }, waitMs)
    for (const [at, hit] of hits.entries()) if (proven[at] === 'unknown') proven[at] = provenHit(hit, query, rules)
  }
  return {
    hits: proven.filter((one): one is ProvenHit => typeof one !== 'string'),
    places: [...proven.entries()].flatMap(([place, one]) => (typeof one === 'string' ? [] : [place])),
    forged: proven.filter((one) => one === 'forged').length,
    forgedOne: hits[proven.indexOf('forged')]?.infoHash,
    unknown: proven.filter((one) => one === 'unknown').length,
  }
}
