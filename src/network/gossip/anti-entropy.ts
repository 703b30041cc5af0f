import type { ContentRules, NodeId } from '../../events/index.ts'
import { type AuthorRange, type Head, WIRE_ITEMS_MAX } from '../wire.ts'
import type { HeldEvents } from './admission.ts'
import { GoneClaims } from './gone-claims.ts'
import type { GossipEffect } from './gossip-protocol.ts'
import type { PullPause } from './pull-pause.ts'
import type { SeenEvents } from './seen-events.ts'
import { bucketBits, bucketOf, differingBuckets, hasBucket, Summariser } from './vector-summary.ts'

// Anti-entropy: two nodes compare their version vectors, by bucket hashes first, and each fetches the ranges it lacks in
// one request. What the broadcast lost, or what passed while a node was away, arrives this way (Demers et al. 1987,
// "Epidemic algorithms for replicated database maintenance"; vectors as in Golding's timestamped anti-entropy).

/** Each node compares with one random neighbour this often; at first, while everybody comes and links change, more often. */
const COMPARE_EVERY_MS = 5_000
const COMPARE_FIRST_MS = 1_000
const COMPARE_GROWTH = 1.4
/** After an exchange brought something, others are compared with soon: it spreads what a partition kept apart. */
const COMPARE_SOON_MS = 300
const COMPARE_SOON_PEERS = 3
/** A supply of so few events is news, and named to the neighbours; a larger one is a catch-up, which they compare for. */
export const SUPPLIED_NAMED_MAX = 32
/** A peer is asked no more often than this, unless there is more to fetch; and answered no more often than that. */
const COMPARE_GAP_MS = 250
const ANSWER_GAP_MS = 20
/** A fetch without an answer for so long is given up, and its ranges are free to be asked of another. */
const FETCH_PATIENCE_MS = 2_500
/** Events in one fetch, over all its ranges; the next fetch goes on. */
export const FETCH_EVENTS_MAX = 4_096
export const FETCHES_MAX = 4

type Fetch = { id: number; ranges: readonly AuthorRange[]; deadline: number; gained: number }
type Peer = { comparedAt: number; answeredAt: number; fetch: Fetch | undefined; behind: boolean }

export class AntiEntropy {
  readonly #held: HeldEvents
  readonly #seen: SeenEvents
  readonly #pause: PullPause
  readonly #random: () => number
  readonly #rules: Pick<ContentRules, 'isShut'>
  readonly #peers = new Map<NodeId, Peer>()
  /** Authors whose missing range is under way from somebody. */
  readonly #fetching = new Set<NodeId>()
  /** Peers we dialled and did not compare with yet. */
  readonly #uncompared = new Set<NodeId>()
  #comparedAt = Number.NEGATIVE_INFINITY
  #everyMs = COMPARE_FIRST_MS
  /** Something came: others may have more of it, or lack it. */
  #gained = false
  readonly #claims = new GoneClaims()
  readonly #summariser = new Summariser()
  #soonSet = false
  #fetchId = 0

  constructor(held: HeldEvents, seen: SeenEvents, pause: PullPause, random: () => number, rules: Pick<ContentRules, 'isShut'>) {
    this.#rules = rules
    this.#held = held
    this.#seen = seen
    this.#pause = pause
    this.#random = random
  }

  linkUp(peer: NodeId, initiator: boolean, now: number): GossipEffect[] {
    const never = Number.NEGATIVE_INFINITY
    this.#peers.set(peer, { comparedAt: never, answeredAt: never, fetch: undefined, behind: false })
    if (!initiator) return []
    // One after the other: while one answer is under way, all the others would bring the same.
    this.#uncompared.add(peer)
    return now - this.#comparedAt >= COMPARE_SOON_MS ? this.#compareNext(now) : this.#compareSoonWake()
  }

  linkDown(peer: NodeId): void {
    this.#endFetch(this.#peers.get(peer))
    this.#peers.delete(peer)
    this.#uncompared.delete(peer)
  }

  /** A fetch did not leave: nobody is going to answer it. */
  fetchNotSent(to: NodeId, id: number): void {
    const peer = this.#peers.get(to)
    if (peer?.fetch?.id !== id) return
    this.#endFetch(peer)
    this.#pause.notFetched()
  }

  compareWake(): GossipEffect {
    const everyMs = this.#everyMs
    this.#everyMs = Math.min(COMPARE_EVERY_MS, everyMs * COMPARE_GROWTH)
    return { do: 'wake', afterMs: everyMs * (0.75 + 0.5 * this.#random()), timer: { name: 'compare' } }
  }

  /** The periodic round, with one neighbour. */
  compare(now: number): GossipEffect[] {
    return [...this.compareOnce(now), this.compareWake()]
  }

  compareOnce(now: number): GossipEffect[] {
    this.#giveUpLate(now)
    const peers = [...this.#peers.keys()]
    const peer = peers[Math.floor(this.#random() * peers.length)]
    return peer === undefined ? [] : this.#compareWith(peer, now)
  }

  compareSoon(now: number): GossipEffect[] {
    this.#soonSet = false
    this.#giveUpLate(now)
    const effects = this.#compareNext(now)
    if (!this.#gained) return effects
    this.#gained = false
    const peers = [...this.#peers.keys()]
    for (let count = 0; count < COMPARE_SOON_PEERS && peers.length > 0; count++) {
      const [peer] = peers.splice(Math.floor(this.#random() * peers.length), 1)
      if (peer !== undefined) effects.push(...this.#compareWith(peer, now))
    }
    return effects
  }

  /** Step 1 arrived: answer with the heads of the buckets that differ. */
  summary(from: NodeId, message: { salt: number; buckets: Uint8Array }, now: number): GossipEffect[] {
    const peer = this.#peers.get(from)
    if (peer === undefined || now - peer.answeredAt < ANSWER_GAP_MS) return []
    peer.answeredAt = now
    const vector = this.#held.versionVector()
    const differing = new Set(differingBuckets(this.#summariser.summarise(vector, message.salt), message.buckets))
    if (differing.size === 0) return []
    const byBucket = new Map<number, Head[]>([...differing].map((bucket) => [bucket, []]))
    for (const [author, authorSeq] of vector) byBucket.get(bucketOf(author))?.push({ author, authorSeq })
    // Whole buckets as far as the message reaches, from a random one on: a bit says "this is all I have of it".
    const buckets = [...byBucket.keys()]
    const start = Math.floor(this.#random() * buckets.length)
    const whole: number[] = []
    const heads: Head[] = []
    for (const bucket of [...buckets.slice(start), ...buckets.slice(0, start)]) {
      const more = byBucket.get(bucket) ?? []
      if (heads.length + more.length <= WIRE_ITEMS_MAX) whole.push(bucket)
      else if (heads.length > 0) continue
      heads.push(...more.slice(0, WIRE_ITEMS_MAX - heads.length))
    }
    return [{ do: 'send', to: from, message: { type: 'vector', buckets: bucketBits(whole), heads, reply: false } }]
  }

  /** Step 2 arrived: fetch what we lack, and name what the other lacks. */
  vector(from: NodeId, message: { buckets: Uint8Array; heads: readonly Head[]; reply: boolean }, now: number): GossipEffect[] {
    const peer = this.#peers.get(from)
    if (peer === undefined) return []
    this.#giveUpLate(now)
    const effects = this.#fetch(from, peer, message.heads, now)
    if (message.reply) return effects
    const theirs = new Map(message.heads.map(({ author, authorSeq }) => [author, authorSeq]))
    const ahead: Head[] = []
    for (const [author, authorSeq] of this.#held.versionVector()) {
      const their = theirs.get(author)
      const listed = their !== undefined || hasBucket(message.buckets, bucketOf(author))
      if (listed && authorSeq > (their ?? 0) && ahead.length < WIRE_ITEMS_MAX) ahead.push({ author, authorSeq })
    }
    if (ahead.length > 0) {
      effects.push({ do: 'send', to: from, message: { type: 'vector', buckets: bucketBits([]), heads: ahead, reply: true } })
    }
    return effects
  }

  /** Step 3 arrived: the runtime reads the ranges from the log. */
  supply(from: NodeId, id: number, ranges: readonly AuthorRange[]): GossipEffect[] {
    if (!this.#peers.has(from)) return []
    return [{ do: 'supply', to: from, id, ranges: limited(ranges) }]
  }

  /**
   * What the peer says it has pruned of what it was asked for. One peer may say so to hide something: another must say
   * the same, unless there is no other.
   * @returns what is not to be asked for again
   */
  gone(from: NodeId, id: number, ranges: readonly AuthorRange[]): AuthorRange[] {
    const fetch = this.#peers.get(from)?.fetch
    if (fetch?.id !== id) return []
    const asked = ranges.filter((range) =>
      fetch.ranges.some((one) => one.author === range.author && range.from >= one.from && range.from <= one.to),
    )
    return this.#peers.size === 1 ? asked : this.#claims.confirmed(from, asked)
  }

  /** Step 4 arrived, and `gained` of its events were new. */
  supplied(from: NodeId, id: number, gained: number, last: boolean, now: number): GossipEffect[] {
    const peer = this.#peers.get(from)
    if (peer?.fetch?.id !== id) return []
    peer.fetch.deadline = now + FETCH_PATIENCE_MS
    peer.fetch.gained += gained
    if (!last) return []
    const { gained: total, ranges } = peer.fetch
    this.#endFetch(peer)
    // Nothing new: the other has nothing to give, and asking again would go round for ever.
    if (total === 0) return []
    // Also when less came than was asked for: a supply is bounded in bytes, whatever the count.
    if (total < countOf(ranges)) peer.behind = true
    const effects: GossipEffect[] = peer.behind ? this.#compareWith(from, now, 0) : []
    // A few events are named to the neighbours as they come (SUPPLIED_NAMED_MAX): only more need comparing for.
    if (total <= SUPPLIED_NAMED_MAX) return effects
    this.#gained = true
    effects.push(...this.#compareSoonWake())
    return effects
  }

  #compareSoonWake(): GossipEffect[] {
    if (this.#soonSet) return []
    this.#soonSet = true
    return [{ do: 'wake', afterMs: COMPARE_SOON_MS * (0.5 + this.#random()), timer: { name: 'compare-soon' } }]
  }

  /** With one of those that are new. */
  #compareNext(now: number): GossipEffect[] {
    for (const peer of this.#uncompared) {
      const effects = this.#compareWith(peer, now)
      return this.#uncompared.size > 0 ? [...effects, ...this.#compareSoonWake()] : effects
    }
    return []
  }

  #compareWith(to: NodeId, now: number, gapMs = COMPARE_GAP_MS): GossipEffect[] {
    const peer = this.#peers.get(to)
    this.#uncompared.delete(to)
    if (peer === undefined || now - peer.comparedAt < gapMs) return []
    peer.comparedAt = now
    this.#comparedAt = now
    const salt = Math.floor(this.#random() * 0x1_0000_0000)
    return [
      {
        do: 'send',
        to,
        message: { type: 'summary', salt, buckets: this.#summariser.summarise(this.#held.versionVector(), salt) },
      },
    ]
  }

  #fetch(from: NodeId, peer: Peer, heads: readonly Head[], now: number): GossipEffect[] {
    if (!this.#pause.mayFetch(now)) return []
    const vector = this.#held.versionVector()
    const lacking: AuthorRange[] = []
    for (const { author, authorSeq } of heads) {
      // Others may hold what it said before: it stays named, since the word against it may stand among that.
      if (this.#fetching.has(author) || this.#rules.isShut(author, 'gossip')) continue
      let have = vector.get(author) ?? 0
      // Events that are held back count as here.
      while (have < authorSeq && this.#seen.has(author, have + 1)) have++
      if (authorSeq > have) lacking.push({ author, from: have + 1, to: authorSeq })
    }
    if (lacking.length === 0) return []
    const underWay = [...this.#peers.values()].filter(({ fetch }) => fetch !== undefined).length
    if (peer.fetch !== undefined || underWay >= FETCHES_MAX) {
      peer.behind = true
      return []
    }
    const ranges = limited(lacking)
    peer.behind = countOf(ranges) < countOf(lacking)
    this.#fetchId = (this.#fetchId + 1) % 0x1_0000_0000
    peer.fetch = { id: this.#fetchId, ranges, deadline: now + FETCH_PATIENCE_MS, gained: 0 }
    for (const { author } of ranges) this.#fetching.add(author)
    this.#pause.fetching(now)
    return [{ do: 'send', to: from, message: { type: 'fetch', id: this.#fetchId, ranges } }]
  }

  #endFetch(peer: Peer | undefined): void {
    if (peer?.fetch === undefined) return
    for (const { author } of peer.fetch.ranges) this.#fetching.delete(author)
    peer.fetch = undefined
  }

  #giveUpLate(now: number): void {
    for (const peer of this.#peers.values()) {
      if (peer.fetch === undefined || peer.fetch.deadline > now) continue
      this.#endFetch(peer)
      // Something we know of did not come: look for it as often as at first, not only at the next of the slow rounds.
      this.#everyMs = COMPARE_FIRST_MS
    }
  }
}

const countOf = (ranges: readonly AuthorRange[]): number => ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)

/** The ranges cut to what one fetch may ask for, in fair shares: no author's backlog keeps the others waiting. */
export function limited(ranges: readonly AuthorRange[]): AuthorRange[] {
  const taken = ranges.slice(0, WIRE_ITEMS_MAX)
  if (countOf(taken) <= FETCH_EVENTS_MAX) return taken
  // From the shortest on, so that what a short range leaves of its share goes to the longer ones.
  let left = FETCH_EVENTS_MAX
  return [...taken]
    .sort((a, b) => a.to - a.from - (b.to - b.from))
    .map((range, index) => {
      const share = Math.floor(left / (taken.length - index))
      const count = Math.min(range.to - range.from + 1, Math.max(1, share))
      left -= count
      return { ...range, to: range.from + count - 1 }
    })
}
