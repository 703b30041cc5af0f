import type { ContentRules, NodeId } from '../../events/index.ts'
import { type AuthorRange, type Head, WIRE_ITEMS_MAX } from '../wire.ts'
import type { HeldEvents } from './admission.ts'
import type { FirstHand } from './first-hand.ts'
import type { GossipEffect } from './gossip-protocol.ts'
import type { PrunedElsewhere } from './pruned-elsewhere.ts'
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
/** Revoked authors of whom it is remembered what was asked for; beyond, they are asked for again. */
export const VAIN_MAX = 4_096
/** So long, after the last news, nobody else is asked for what one peer was asked for, ms. */
export const FETCH_ALONE_MS = 700
/** After a fetch that brought nothing of what was promised, the peer is not asked for so long, ms; twice as long each time. */
export const UNKEPT_FIRST_MS = 1_000
export const UNKEPT_MAX_MS = 60_000
/** Peers whose unkept promises are remembered. */
const UNKEPT_PEERS_MAX = 1_024
/** Fetches in a row that bring nothing but word of what is gone. */
export const GONE_ROUNDS_MAX = 8
/** Events that are looked up for one message of heads, to ask for no more than what is missing between those held. */
const LOOKED_UP_MAX = 16_384

type Signed = { readonly authorSeq: number; readonly at: number }
type Fetch = {
  readonly id: number
  readonly ranges: readonly AuthorRange[]
  deadline: number
  gained: number
  /** Something of it came: an event, if only a copy, or word that it is pruned. */
  kept: boolean
  /** The peer told of something that it has pruned, for the first time. */
  toldGone: boolean
  /** Events that came, signatures checked: what is said to be gone below them may be so. */
  readonly signed: Map<NodeId, Signed[]>
}
type Peer = { comparedAt: number; answeredAt: number; fetch: Fetch | undefined; behind: boolean; goneRounds: number }

export type AntiEntropyOptions = {
  held: HeldEvents
  seen: SeenEvents
  pause: PullPause
  pruned: PrunedElsewhere
  /** 0 <= random() < 1 */
  random: () => number
  rules: Pick<ContentRules, 'isRevoked' | 'isShut'>
  firstHand: FirstHand
}

export class AntiEntropy {
  readonly #held: HeldEvents
  readonly #seen: SeenEvents
  readonly #pause: PullPause
  readonly #pruned: PrunedElsewhere
  readonly #random: () => number
  readonly #rules: Pick<ContentRules, 'isRevoked' | 'isShut'>
  readonly #firstHand: FirstHand
  readonly #peers = new Map<NodeId, Peer>()
  /** Authors whose missing range is under way from somebody: by which fetch, and when it was asked for or brought something. */
  readonly #fetching = new Map<NodeId, { readonly id: number; readonly at: number }>()
  /** Peers that promised what they did not bring: how often in a row, and until when they are not asked. */
  readonly #unkept = new Map<NodeId, { readonly count: number; readonly until: number }>()
  /** Peers we dialled and did not compare with yet. */
  readonly #uncompared = new Set<NodeId>()
  #comparedAt = Number.NEGATIVE_INFINITY
  #everyMs = COMPARE_FIRST_MS
  /** Something came: others may have more of it, or lack it. */
  #gained = false
  /** Up to where a revoked author's events were asked for in vain. */
  readonly #vain = new Map<NodeId, number>()
  readonly #summariser = new Summariser()
  #soonSet = false
  #fetchId = 0

  constructor({ held, seen, pause, pruned, random, rules, firstHand }: AntiEntropyOptions) {
    this.#held = held
    this.#seen = seen
    this.#pause = pause
    this.#pruned = pruned
    this.#random = random
    this.#rules = rules
    this.#firstHand = firstHand
  }

  linkUp(peer: NodeId, initiator: boolean, now: number): GossipEffect[] {
    const never = Number.NEGATIVE_INFINITY
    this.#peers.set(peer, { comparedAt: never, answeredAt: never, fetch: undefined, behind: false, goneRounds: 0 })
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
    const vector = this.#pruned.vector(now)
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
    for (const [author, authorSeq] of this.#pruned.vector(now)) {
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

  /** An event came that its author signed: one that was new, or a copy whose signature was checked again. */
  signed(from: NodeId, id: number, author: NodeId, { authorSeq, at }: Signed): void {
    this.#pruned.signed(author, authorSeq, at)
    const fetch = this.#peers.get(from)?.fetch
    if (fetch?.id !== id || !fetch.ranges.some((range) => range.author === author)) return
    fetch.kept = true
    const signed = fetch.signed.get(author)
    if (signed === undefined) fetch.signed.set(author, [{ authorSeq, at }])
    else if (signed.length < FETCH_EVENTS_MAX) signed.push({ authorSeq, at })
  }

  /** An event of an author that was asked for came, and is not let in here: the peer has kept its promise. */
  brought(from: NodeId, id: number, author: NodeId): void {
    const fetch = this.#peers.get(from)?.fetch
    if (fetch?.id === id && fetch.ranges.some((range) => range.author === author)) fetch.kept = true
  }

  /** True of a copy that stands right above something missing: if its author signed it, what is below may be pruned. */
  isAboveMissing(from: NodeId, id: number, { author, authorSeq }: Head): boolean {
    const fetch = this.#peers.get(from)?.fetch
    if (fetch?.id !== id) return false
    const isAsked = fetch.ranges.some((one) => one.author === author && one.from <= authorSeq && one.to >= authorSeq)
    if (isAsked) fetch.kept = true
    return isAsked && authorSeq > 1 && !this.#has(author, authorSeq - 1)
  }

  /** What the peer says it has pruned of what it was asked for; nobody signed that (see pruned-elsewhere.ts). */
  gone(from: NodeId, id: number, ranges: readonly AuthorRange[], now: number): void {
    const fetch = this.#peers.get(from)?.fetch
    if (fetch?.id !== id) return
    for (const range of ranges) {
      const { author, from: first } = range
      if (!fetch.ranges.some((one) => one.author === author && first >= one.from && first <= one.to)) continue
      fetch.kept = true
      if (this.#pruned.claim(from, range, fetch.signed.get(author) ?? [], now)) fetch.toldGone = true
    }
  }

  /** Step 4 arrived, and `gained` of its events were new. */
  supplied(from: NodeId, id: number, gained: number, last: boolean, now: number): GossipEffect[] {
    const peer = this.#peers.get(from)
    const fetch = peer?.fetch
    if (peer === undefined || fetch?.id !== id) return []
    if (gained > 0) {
      fetch.gained += gained
      fetch.deadline = now + FETCH_PATIENCE_MS
      for (const { author } of fetch.ranges)
        if (this.#fetching.get(author)?.id === id) this.#fetching.set(author, { id, at: now })
    }
    if (!last) return []
    const { gained: total, ranges, toldGone, kept } = fetch
    for (const { author, to } of ranges) if (this.#rules.isRevoked(author)) this.#noteVain(author, to)
    this.#endFetch(peer)
    if (kept) this.#unkept.delete(from)
    else this.#broke(from, now)
    peer.goneRounds = total > 0 ? 0 : peer.goneRounds + 1
    // Nothing new: the other has nothing to give, and asking again would go round for ever.
    if (total === 0 && (!toldGone || peer.goneRounds > GONE_ROUNDS_MAX)) return []
    // Also when less came than was asked for: a supply is bounded in bytes, whatever the count.
    if (total < countOf(ranges)) peer.behind = true
    const effects: GossipEffect[] = peer.behind ? this.#compareWith(from, now, 0) : []
    // A few events are named to the neighbours as they come (SUPPLIED_NAMED_MAX): only more need comparing for.
    if (total <= SUPPLIED_NAMED_MAX) return effects
    this.#gained = true
    effects.push(...this.#compareSoonWake())
    return effects
  }

  #noteVain(author: NodeId, upTo: number): void {
    this.#vain.delete(author)
    this.#vain.set(author, upTo)
    if (this.#vain.size <= VAIN_MAX) return
    for (const oldest of this.#vain.keys()) {
      this.#vain.delete(oldest)
      return
    }
  }

  /** The peer promised what it did not bring. That is forgotten, and the peer asked less: it may only be busy. */
  #broke(peer: NodeId, now: number): void {
    const count = (this.#unkept.get(peer)?.count ?? 0) + 1
    this.#unkept.delete(peer)
    this.#unkept.set(peer, { count, until: now + Math.min(UNKEPT_MAX_MS, UNKEPT_FIRST_MS * 2 ** (count - 1)) })
    if (this.#unkept.size <= UNKEPT_PEERS_MAX) return
    for (const oldest of this.#unkept.keys()) {
      this.#unkept.delete(oldest)
      return
    }
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
        message: { type: 'summary', salt, buckets: this.#summariser.summarise(this.#pruned.vector(now), salt) },
      },
    ]
  }

  #fetch(from: NodeId, peer: Peer, heads: readonly Head[], now: number): GossipEffect[] {
    const unkept = this.#unkept.get(from)
    if (!this.#pause.mayFetch(now) || (unkept !== undefined && now < unkept.until)) return []
    const vector = this.#pruned.vector(now)
    const lacking: AuthorRange[] = []
    const budget = { left: LOOKED_UP_MAX }
    for (const { author, authorSeq } of heads) {
      const underWay = this.#fetching.get(author)
      if (underWay !== undefined && now - underWay.at < FETCH_ALONE_MS) continue
      // Its budget takes nothing more now: asked again when there is room.
      if (!this.#rules.isRevoked(author) && this.#rules.isShut(author, 'gossip')) continue
      let have = vector.get(author) ?? 0
      // Others hold what a revoked one said before, and name it for ever, since the word against it may stand among that. What
      // was not taken once will not be; only above it may be a new admission.
      if (this.#rules.isRevoked(author)) have = Math.max(have, this.#vain.get(author) ?? 0)
      if (authorSeq <= have) continue
      const asked = { author, from: have + 1, to: Math.min(authorSeq, have + this.#firstHand.room(from, author, now)) }
      if (asked.to < asked.from) continue
      for (const part of this.#pruned.notSaidBy(from, asked)) lacking.push(...this.#missingIn(part, budget))
    }
    if (lacking.length === 0) return []
    const underWay = [...this.#peers.values()].filter(({ fetch }) => fetch !== undefined).length
    // Those who broke a promise do not get all places.
    const placesMax = unkept === undefined ? FETCHES_MAX : FETCHES_MAX / 2
    if (peer.fetch !== undefined || underWay >= placesMax) {
      peer.behind = true
      return []
    }
    const ranges = limited(lacking)
    peer.behind = countOf(ranges) < countOf(lacking)
    this.#fetchId = (this.#fetchId + 1) % 0x1_0000_0000
    const id = this.#fetchId
    const fresh = { gained: 0, kept: false, toldGone: false, signed: new Map() }
    peer.fetch = { id, ranges, deadline: now + FETCH_PATIENCE_MS, ...fresh }
    for (const { author } of ranges) this.#fetching.set(author, { id, at: now })
    this.#pause.fetching(now)
    return [{ do: 'send', to: from, message: { type: 'fetch', id, ranges } }]
  }

  /**
   * What is missing of a range, each part with the event above it where that is held: its author's signature is what can show
   * that the part may be pruned. Events that are held back count as here.
   */
  *#missingIn({ author, from, to }: AuthorRange, budget: { left: number }): Generator<AuthorRange> {
    let next = from
    while (next <= to) {
      while (next <= to && budget.left > 0 && this.#has(author, next)) {
        budget.left--
        next++
      }
      if (next > to) return
      const first = next
      while (next <= to && budget.left > 0 && !this.#has(author, next)) {
        budget.left--
        next++
      }
      // No more is looked up: the rest is asked for as one.
      if (budget.left <= 0) next = to + 1
      yield { author, from: first, to: Math.min(to, next) }
    }
  }

  #has(author: NodeId, authorSeq: number): boolean {
    return this.#seen.has(author, authorSeq) || this.#held.has({ author, stream: 'gossip', authorSeq })
  }

  #endFetch(peer: Peer | undefined): void {
    if (peer?.fetch === undefined) return
    const { id, ranges } = peer.fetch
    for (const { author } of ranges) if (this.#fetching.get(author)?.id === id) this.#fetching.delete(author)
    peer.fetch = undefined
  }

  #giveUpLate(now: number): void {
    for (const [id, peer] of this.#peers) {
      if (peer.fetch === undefined || peer.fetch.deadline > now) continue
      if (!peer.fetch.kept) this.#broke(id, now)
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
