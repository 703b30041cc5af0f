import type { ContentRules, NodeId, SignedEvent, VerifySignature } from '../../events/index.ts'
import type { Protocol } from '../protocol.ts'
import type { GossipMessage } from '../wire.ts'
import type { HeldEvents } from './admission.ts'
import { AntiEntropy, SUPPLIED_NAMED_MAX } from './anti-entropy.ts'
import { BroadcastTree, type Pushed, pushes } from './broadcast-tree.ts'
import { FirstHand } from './first-hand.ts'
import type { EventId, GossipEffect, GossipInput, GossipTimer, IngestOutcome, OwnEvent } from './gossip-protocol.ts'
import { type GossipCounts, Intake } from './intake.ts'
import { goesFirst } from './precedence.ts'
import { PrunedElsewhere } from './pruned-elsewhere.ts'
import { PullPause } from './pull-pause.ts'
import { SeenEvents } from './seen-events.ts'
import { BEACON_EVERY_MS, SpanningTree } from './spanning-tree.ts'

export const SEEN_COUNT_MAX = 8_192
export const SEEN_BYTES_MAX = 8 * 1024 * 1024
/** Events are kept in memory for one to two times this long: a graft comes within 3 s of the first name. */
const SEEN_MS = 5_000

export type GossipOptions = {
  self: NodeId
  /** A client comes and goes: the tree is rooted in one only where there is nobody else. */
  isClient: boolean
  held: HeldEvents
  verify: VerifySignature
  rules: ContentRules
  /** 0 <= random() < 1 */
  random: () => number
  /** How long events are kept that are pruned at all, ms. */
  retentionMs: number
  /** True while this node takes back what it said itself, after a backup was restored. */
  isRecovering: () => boolean
}

type SupplyMessage = Extract<GossipMessage, { type: 'supply' }>

/** Gossip of one node: the broadcast tree for what happens now, anti-entropy for what was missed, one check an event. */
export class Gossip implements Protocol<GossipInput, GossipMessage, GossipTimer> {
  readonly counts: GossipCounts = { eventsIn: 0, eventsOut: 0, duplicates: 0, rejected: 0, throttled: 0 }
  readonly #held: HeldEvents
  readonly #verify: VerifySignature
  readonly #pruned: PrunedElsewhere
  readonly #seen = new SeenEvents(SEEN_COUNT_MAX, SEEN_BYTES_MAX)
  readonly #spanning: SpanningTree
  readonly #tree: BroadcastTree
  readonly #intake: Intake
  readonly #antiEntropy: AntiEntropy
  readonly #pause = new PullPause()

  constructor({ self, isClient, held, verify, rules, random, retentionMs, isRecovering }: GossipOptions) {
    const [seen, pause, counts] = [this.#seen, this.#pause, this.counts]
    this.#held = held
    this.#verify = verify
    this.#pruned = new PrunedElsewhere({ self, held, retentionMs, isRecovering })
    this.#spanning = new SpanningTree(self, isClient, (node) => rules.partyOf?.(node)?.standing)
    this.#tree = new BroadcastTree(this.#spanning)
    const firstHand = new FirstHand(rules)
    this.#intake = new Intake({ self, held, seen, pause, verify, rules, firstHand, counts })
    this.#antiEntropy = new AntiEntropy({ held, seen, pause, pruned: this.#pruned, random, rules, firstHand })
  }

  get heldBack(): number {
    return this.#intake.heldBack
  }

  /** How this peer hears of events. */
  view(peer: NodeId): 'eager' | 'lazy' | 'none' {
    if (!this.#tree.has(peer)) return 'none'
    return this.#tree.isEager(peer) ? 'eager' : 'lazy'
  }

  backlog(peer: NodeId): number {
    return this.#tree.backlog(peer)
  }

  handle(input: GossipInput, now: number): GossipEffect[] {
    switch (input.type) {
      case 'message':
        return this.#receive(input.from, input.message, now)
      case 'timer':
        return this.#wake(input.timer, now)
      case 'start':
        return [
          this.#antiEntropy.compareWake(),
          { do: 'wake', afterMs: BEACON_EVERY_MS, timer: { name: 'beacon' } },
          { do: 'wake', afterMs: SEEN_MS, timer: { name: 'seen' } },
        ]
      case 'drain':
        return [...this.#intake.release(Number.POSITIVE_INFINITY), ...this.#counted(this.#tree.pushWaiting())]
      case 'link-up':
        this.#tree.linkUp(input.peer)
        return [...this.#spanning.linkUp(input.peer), ...this.#antiEntropy.linkUp(input.peer, input.initiator, now)]
      case 'link-down':
        this.#tree.linkDown(input.peer)
        this.#antiEntropy.linkDown(input.peer)
        return this.#spanning.linkDown(input.peer, now)
      case 'member-gone':
        return this.#spanning.rootGone(input.member, now)
      case 'own-stored':
        return this.#counted(this.#publish(input.events))
      case 'ingest-done':
        return this.#ingestDone(input, now)
      case 'append-failed':
        return input.why === 'unwritable' ? this.#logFailed() : []
      case 'send-failed':
        // Its ranges are free for another peer at once; what else did not leave, anti-entropy makes up for.
        if (input.message.type === 'fetch') this.#antiEntropy.fetchNotSent(input.to, input.message.id)
        return []
    }
  }

  #receive(from: NodeId, message: GossipMessage, now: number): GossipEffect[] {
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
      case 'supply':
        return this.#supply(from, message, now)
    }
  }

  #wake({ name }: GossipTimer, now: number): GossipEffect[] {
    switch (name) {
      case 'push':
        return this.#counted(this.#tree.pushWaiting())
      case 'flush':
        return this.#tree.flush()
      case 'graft':
        return this.#tree.graft(now)
      case 'compare':
        return this.#antiEntropy.compare(now)
      case 'compare-soon':
        return this.#antiEntropy.compareSoon(now)
      case 'beacon':
        return this.#spanning.beat(now)
      case 'seen':
        this.#seen.forgetOld()
        return [{ do: 'wake', afterMs: SEEN_MS, timer: { name: 'seen' } }]
      case 'release':
        return this.#intake.releaseDue(now)
      case 'resume':
        this.#pause.over()
        this.#intake.forgetUntaken()
        return this.#antiEntropy.compareOnce(now)
    }
  }

  #publish(own: readonly OwnEvent[]): GossipEffect[] {
    const pushed = own.map(
      ({ header, event }): Pushed => ({
        ...{ author: header.author, authorSeq: header.authorSeq, event, hops: 0 },
        first: goesFirst(header),
      }),
    )
    for (const { author, authorSeq, event } of pushed) this.#seen.add(author, authorSeq, { event, hops: 0 })
    return this.#tree.spread(pushed, undefined)
  }

  #ingestDone({ took, failed, notTaken }: IngestOutcome, now: number): GossipEffect[] {
    const effects = failed ? this.#logFailed() : []
    for (const id of notTaken) this.#intake.notTaken(id)
    if (!took || !this.#pause.worked()) return effects
    this.#intake.forgetUntaken()
    return [...effects, ...this.#antiEntropy.compareOnce(now)]
  }

  /** The log cannot be written: for a while nothing is fetched, and what comes is passed on, but not handed to the log. */
  #logFailed(): GossipEffect[] {
    const afterMs = this.#pause.failed()
    return afterMs === undefined ? [] : [{ do: 'wake', afterMs, timer: { name: 'resume' } }]
  }

  #holds({ author, authorSeq }: EventId): boolean {
    return this.#seen.has(author, authorSeq) || this.#held.has({ author, stream: 'gossip', authorSeq })
  }

  #push(from: NodeId, events: readonly { event: SignedEvent; hops: number }[], now: number): GossipEffect[] {
    const { fresh, duplicates, effects } = this.#intake.admit(from, events, true, now)
    for (const { author, authorSeq, at } of fresh) this.#pruned.signed(author, authorSeq, at)
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

  #supply(from: NodeId, { id, events, last, gone = [] }: SupplyMessage, now: number): GossipEffect[] {
    const supplied = events.map((event) => ({ event, hops: 0 }))
    const { fresh, duplicates, copies, ignored, effects } = this.#intake.admit(from, supplied, false, now)
    for (const { author, authorSeq, at } of fresh) this.#antiEntropy.signed(from, id, author, { authorSeq, at })
    for (const { author } of ignored) this.#antiEntropy.brought(from, id, author)
    for (const [index, { author, authorSeq, at }] of duplicates.entries()) {
      const copy = copies[index]
      if (copy === undefined || !this.#antiEntropy.isAboveMissing(from, id, { author, authorSeq })) continue
      // It is known by its number alone: what it says of its time is its author's word only if it is signed.
      if (this.#verify('event', copy.body, copy.signature, author))
        this.#antiEntropy.signed(from, id, author, { authorSeq, at })
    }
    if (fresh.length <= SUPPLIED_NAMED_MAX) effects.push(...this.#tree.spread(fresh, from, true))
    this.#antiEntropy.gone(from, id, gone, now)
    return [...effects, ...this.#antiEntropy.supplied(from, id, fresh.length, last, now)]
  }

  #graft(from: NodeId, names: readonly EventId[]): GossipEffect[] {
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

  #counted(effects: GossipEffect[]): GossipEffect[] {
    for (const effect of effects) {
      if (effect.do === 'send' && effect.message.type === 'push') this.counts.eventsOut += effect.message.events.length
    }
    return effects
  }
}
