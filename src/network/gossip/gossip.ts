import type { ContentRules, Header, NodeId, SignedEvent, VerifySignature } from '../../events/index.ts'
import { HoldBackQueue } from '../hold-back-queue.ts'
import type { Effect, Protocol } from '../protocol.ts'
import type { GossipMessage } from '../wire.ts'
import { Admission, type HeldEvents } from './admission.ts'
import { AntiEntropy, COMPARE_SOON_TIMER, COMPARE_TIMER, SUPPLIED_NAMED_MAX } from './anti-entropy.ts'
import { AuthorRates } from './author-rates.ts'
import { BroadcastTree, FLUSH_TIMER, GRAFT_TIMER, PUSH_TIMER, type Pushed, pushes } from './broadcast-tree.ts'
import { goesFirst } from './precedence.ts'
import { PullPause } from './pull-pause.ts'
import { SeenEvents, seenKey } from './seen-events.ts'
import { BEACON_EVERY_MS, BEACON_TIMER, SpanningTree } from './spanning-tree.ts'

export const HOLD_BACK_MS = 100
const HOLD_BACK_COUNT_MAX = 4_096
const SEEN_COUNT_MAX = 8_192
const SEEN_BYTES_MAX = 8 * 1024 * 1024
/** Events a second of one author over the broadcast, and how many at once: a busy downloader judges tens a second. */
const AUTHOR_EVENTS_PER_SECOND = 200
const AUTHOR_EVENTS_BURST = 2_000
const AUTHORS_MAX = 8_192

/** Events are kept in memory for one to two times this long: a graft comes within 3 s of the first name. */
const SEEN_MS = 5_000

const SEEN_TIMER = 'gossip-seen'
export const RELEASE_TIMER = 'gossip-release'
const RESUME_TIMER = 'gossip-resume'

export type GossipCounts = {
  /** Events that were new, and those sent whole, a copy counted each time. */
  eventsIn: number
  eventsOut: number
  duplicates: number
  rejected: number
  throttled: number
}

export type GossipOptions = {
  self: NodeId
  /** A client comes and goes: the tree is rooted in one only where there is nobody else. */
  isClient: boolean
  held: HeldEvents
  verify: VerifySignature
  rules: ContentRules
  /** 0 <= random() < 1 */
  random: () => number
}

/** Gossip of one node: the broadcast tree for what happens now, anti-entropy for what was missed, one check an event. */
export class Gossip implements Protocol<GossipMessage> {
  readonly counts: GossipCounts = { eventsIn: 0, eventsOut: 0, duplicates: 0, rejected: 0, throttled: 0 }
  readonly #held: HeldEvents
  readonly #seen = new SeenEvents(SEEN_COUNT_MAX, SEEN_BYTES_MAX)
  readonly #queue = new HoldBackQueue(HOLD_BACK_MS, HOLD_BACK_COUNT_MAX)
  readonly #spanning: SpanningTree
  readonly #tree: BroadcastTree
  readonly #admission: Admission
  readonly #antiEntropy: AntiEntropy
  readonly #pause = new PullPause()
  /** What the log did not take since it fails: known, so that copies are known as such, and yet to be asked for again. */
  readonly #untaken = new Map<string, { author: NodeId; authorSeq: number }>()
  #releaseSet = false

  constructor({ self, isClient, held, verify, rules, random }: GossipOptions) {
    this.#spanning = new SpanningTree(self, isClient)
    this.#tree = new BroadcastTree(this.#spanning)
    const newRates = () => new AuthorRates(AUTHOR_EVENTS_PER_SECOND, AUTHOR_EVENTS_BURST, AUTHORS_MAX)
    const rates = { first: newRates(), rest: newRates() }
    this.#held = held
    this.#admission = new Admission(held, this.#seen, rates, verify, rules)
    this.#antiEntropy = new AntiEntropy(held, this.#seen, this.#pause, random, rules)
  }

  get heldBack(): number {
    return this.#queue.size
  }

  get neighbours(): readonly NodeId[] {
    return this.#tree.neighbours
  }

  /** How many of them are links of the tree. */
  get eagerCount(): number {
    return this.#tree.eagerCount
  }

  /** How this peer hears of events. */
  view(peer: NodeId): 'eager' | 'lazy' | 'none' {
    if (!this.#tree.has(peer)) return 'none'
    return this.#tree.isEager(peer) ? 'eager' : 'lazy'
  }

  backlog(peer: NodeId): number {
    return this.#tree.backlog(peer)
  }

  start(): readonly Effect<GossipMessage>[] {
    return [
      this.#antiEntropy.compareWake(),
      { do: 'wake', afterMs: BEACON_EVERY_MS, timer: BEACON_TIMER },
      { do: 'wake', afterMs: SEEN_MS, timer: SEEN_TIMER },
    ]
  }

  linkUp(peer: NodeId, initiator: boolean, now: number): readonly Effect<GossipMessage>[] {
    this.#tree.linkUp(peer)
    return [...this.#spanning.linkUp(peer), ...this.#antiEntropy.linkUp(peer, initiator, now)]
  }

  linkDown(peer: NodeId, now: number): readonly Effect<GossipMessage>[] {
    this.#tree.linkDown(peer)
    this.#antiEntropy.linkDown(peer)
    return this.#spanning.linkDown(peer, now)
  }

  /** A member is dead or has left: the tree cannot be rooted in it. */
  memberGone(id: NodeId, now: number): readonly Effect<GossipMessage>[] {
    return this.#spanning.rootGone(id, now)
  }

  /** Own events that stand in the log now. */
  publish(
    own: readonly { header: Pick<Header, 'author' | 'authorSeq' | 'kind'>; event: SignedEvent }[],
  ): readonly Effect<GossipMessage>[] {
    const pushed = own.map(
      ({ header, event }): Pushed => ({
        ...{ author: header.author, authorSeq: header.authorSeq, event, hops: 0 },
        first: goesFirst(header),
      }),
    )
    for (const { author, authorSeq, event } of pushed) this.#seen.add(author, authorSeq, { event, hops: 0 })
    return this.#counted(this.#tree.spread(pushed, undefined))
  }

  receive(from: NodeId, message: GossipMessage, now: number): readonly Effect<GossipMessage>[] {
    switch (message.type) {
      case 'push':
        return this.#counted(this.#push(from, message.events, now))
      case 'have':
        this.#tree.knownTo(from, message.names)
        for (const name of message.names) if (!this.#holds(name)) this.#tree.heard(from, name, now)
        return this.#tree.graftWake()
      case 'graft':
        return this.#counted(this.#graft(from, message.names))
      case 'prune':
        this.#tree.pruned(from)
        return []
      case 'beacon':
        return this.#spanning.receive(from, message, now)
      case 'summary':
        return this.#antiEntropy.summary(from, message, now)
      case 'vector':
        return this.#antiEntropy.vector(from, message, now)
      case 'fetch':
        return this.#antiEntropy.supply(from, message.id, message.ranges)
      case 'supply': {
        const events = message.events.map((event) => ({ event, hops: 0 }))
        const { fresh, effects } = this.#admit(from, events, false, now)
        if (fresh.length <= SUPPLIED_NAMED_MAX) effects.push(...this.#tree.spread(fresh, from, true))
        const gone = this.#antiEntropy.gone(from, message.id, message.gone ?? [])
        if (gone.length > 0) effects.push({ do: 'pass-over', ranges: gone })
        return [...effects, ...this.#antiEntropy.supplied(from, message.id, fresh.length + gone.length, message.last, now)]
      }
    }
  }

  wake(timer: string, now: number): readonly Effect<GossipMessage>[] {
    switch (timer) {
      case PUSH_TIMER:
        return this.#counted(this.#tree.pushWaiting())
      case FLUSH_TIMER:
        return this.#tree.flush()
      case GRAFT_TIMER:
        return this.#tree.graft(now)
      case COMPARE_TIMER:
        return this.#antiEntropy.compare(now)
      case COMPARE_SOON_TIMER:
        return this.#antiEntropy.compareSoon(now)
      case BEACON_TIMER:
        return this.#spanning.beat(now)
      case SEEN_TIMER:
        this.#seen.forgetOld()
        return [{ do: 'wake', afterMs: SEEN_MS, timer: SEEN_TIMER }]
      case RELEASE_TIMER:
        this.#releaseSet = false
        return this.#release(now)
      case RESUME_TIMER:
        this.#pause.over()
        this.#forgetUntaken()
        return this.#antiEntropy.compareOnce(now)
      default:
        return []
    }
  }

  /** The log did not take this event (too large a gap, disk full): another copy will be welcome, once the log is well. */
  notTaken(author: NodeId, authorSeq: number): void {
    if (!this.#pause.isFailing) {
      this.#seen.forget(author, authorSeq)
      return
    }
    for (const [oldest, name] of this.#untaken) {
      if (this.#untaken.size < SEEN_COUNT_MAX) break
      this.#untaken.delete(oldest)
      this.#seen.forget(name.author, name.authorSeq)
    }
    this.#untaken.set(seenKey(author, authorSeq), { author, authorSeq })
  }

  /** The log cannot be written: for a while nothing is fetched, and what comes is passed on, but not handed to the log. */
  logFailed(): readonly Effect<GossipMessage>[] {
    const afterMs = this.#pause.failed()
    return afterMs === undefined ? [] : [{ do: 'wake', afterMs, timer: RESUME_TIMER }]
  }

  /** The log has taken events. */
  logTook(now: number): readonly Effect<GossipMessage>[] {
    if (!this.#pause.worked()) return []
    this.#forgetUntaken()
    return this.#antiEntropy.compareOnce(now)
  }

  #forgetUntaken(): void {
    for (const { author, authorSeq } of this.#untaken.values()) this.#seen.forget(author, authorSeq)
    this.#untaken.clear()
  }

  /** Everything that is held back or waits, at once: before a node stops. */
  drain(): readonly Effect<GossipMessage>[] {
    return [...this.#release(Number.POSITIVE_INFINITY), ...this.#counted(this.#tree.pushWaiting())]
  }

  #holds({ author, authorSeq }: { author: NodeId; authorSeq: number }): boolean {
    return this.#seen.has(author, authorSeq) || this.#held.has({ author, stream: 'gossip', authorSeq })
  }

  #push(from: NodeId, events: readonly { event: SignedEvent; hops: number }[], now: number): Effect<GossipMessage>[] {
    const { fresh, duplicates, effects } = this.#admit(from, events, true, now)
    this.#tree.knownTo(from, duplicates)
    const spread = fresh.filter((one) => one.spread)
    if (spread.length > 0) effects.push(...this.#tree.spread(spread, from))
    if (duplicates.length > fresh.length) {
      const prune = this.#tree.redundant(from, now)
      // It pushes over a link that is none of the tree: it may not know our place, if its news of it was lost.
      if (prune.length > 0) effects.push(...prune, this.#spanning.beaconFor(from))
    }
    return effects
  }

  #graft(from: NodeId, names: readonly { author: NodeId; authorSeq: number }[]): Effect<GossipMessage>[] {
    if (!this.#tree.grafted(from)) return []
    const here: Pushed[] = []
    const stored: { author: NodeId; from: number; to: number }[] = []
    for (const { author, authorSeq } of names) {
      const seen = this.#seen.get(author, authorSeq)
      if (seen !== undefined) here.push({ ...seen, author, authorSeq })
      else if (this.#holds({ author, authorSeq })) stored.push({ author, from: authorSeq, to: authorSeq })
    }
    const effects = pushes(from, here)
    if (stored.length > 0) effects.push({ do: 'supply', to: from, id: 0, ranges: stored })
    return effects
  }

  #admit(from: NodeId, events: readonly { event: SignedEvent; hops: number }[], live: boolean, now: number) {
    const fresh: (Pushed & { spread: boolean })[] = []
    const effects: Effect<GossipMessage>[] = []
    const duplicates: Header[] = []
    for (const { event, hops } of events) {
      const judged = this.#admission.judge(event, live, now)
      if (judged.verdict === 'new') {
        const { author, authorSeq } = judged.header
        // Views into a message would keep all of it in memory; and a Buffer's `slice` is one.
        const kept = { body: new Uint8Array(event.body), signature: new Uint8Array(event.signature) }
        this.#seen.add(author, authorSeq, { event: kept, hops: hops + 1 })
        this.#queue.push({ header: judged.header, event: kept }, now)
        fresh.push({ author, authorSeq, event: kept, hops: hops + 1, first: goesFirst(judged.header), spread: judged.spread })
        this.counts.eventsIn++
        if (!judged.spread) this.counts.throttled++
      } else if (judged.verdict === 'duplicate') {
        duplicates.push(judged.header)
        this.counts.duplicates++
      } else if (judged.verdict === 'ignored') {
        this.counts.rejected++
      } else {
        this.counts.rejected++
        const { header, reason, against } = judged
        const peer = against === 'author' && header !== undefined ? header.author : from
        const evidence = header && { author: header.author, authorSeq: header.authorSeq, lamport: header.lamport }
        effects.push({ do: 'charge', peer, reason, ...(evidence && { event: evidence }) })
      }
    }
    effects.push(...this.#releaseWake(now))
    return { fresh, duplicates, effects }
  }

  #releaseWake(now: number): Effect<GossipMessage>[] {
    const at = this.#queue.nextAt
    if (at === undefined || this.#releaseSet) return []
    this.#releaseSet = true
    return [{ do: 'wake', afterMs: Math.max(0, at - now), timer: RELEASE_TIMER }]
  }

  #release(now: number): Effect<GossipMessage>[] {
    const released = this.#queue.release(now)
    if (this.#pause.isPaused) for (const { header } of released.splice(0)) this.notTaken(header.author, header.authorSeq)
    const events = released.map(({ event }) => event)
    const effects: Effect<GossipMessage>[] = events.length > 0 ? [{ do: 'ingest', events }] : []
    return [...effects, ...this.#releaseWake(now)]
  }

  #counted(effects: Effect<GossipMessage>[]): Effect<GossipMessage>[] {
    for (const effect of effects) {
      if (effect.do === 'send' && effect.message.type === 'push') this.counts.eventsOut += effect.message.events.length
    }
    return effects
  }
}
