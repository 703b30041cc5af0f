import { BoundedMap, type EventLog, type NodeId, type SignedEvent, scanBody, type Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import {
  decodePublishReply,
  EVENTS_BYTES_MAX,
  encodePublish,
  INDEX_METHODS,
  messageBytes,
  type Refusal,
} from '../index-node/index-messages.ts'
import { OwnerLanes } from './owner-lanes.ts'
import { REFUSAL_SENTENCES } from './refusals.ts'

/** How soon after a failure an owner is asked again, ms; doubles up to the maximum, for each owner by itself. */
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 60_000
/** Interval at which everything that still holds is announced again, so that owners that came later have it too, ms. */
const REPUBLISH_MS = 10 * 60_000
/**
 * What is below the rank of an owner's places is offered again after one of these rounds, two, four, up to so many: five hours. It may have
 * more seeders by then.
 */
const BELOW_RANK_ROUNDS_MAX = 32
const REQUEST_TIMEOUT_MS = 5_000
/**
 * Requests with new publications, to one owner and in all. Somebody waits for each, so they do not queue behind the
 * backlog. The messenger takes 64 to one peer and 1,024 in all.
 */
const NEW_PER_OWNER_MAX = 8
const NEW_TOTAL_MAX = 256
/** Requests with the backlog in all; one owner is sent one at a time. */
const BACKLOG_TOTAL_MAX = 32
/** Events read for one message; 56 KiB hold about 250 with short titles. */
const EVENTS_PER_MESSAGE_MAX = 256

/** Publications looked at in one turn: some milliseconds. */
const LOOKED_AT_IN_A_TURN = 1_000
/** Signed events that are kept for the next owner, of some 300 bytes. */
const SIGNED_KEPT_MAX = 1_024

/** One signed event in the index stream, and who should hold it. */
export type Publication = { author: NodeId; authorSeq: number; keywords: readonly string[] }

/** Owners that said they hold it, owners that said nothing yet, and those that do not take it. */
export type Announcement = { heldBy: NodeId[]; lackedBy: NodeId[]; refusedBy: { node: NodeId; code: Refusal }[] }

export type PublicationsOptions = {
  log: Pick<EventLog, 'readSigned'>
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  /** Owners of a keyword's partition now, best first. */
  ownersOf(keyword: string): readonly NodeId[]
  /** Own events that still hold, for the next round of republishing. */
  current(): readonly Publication[]
  onProblem(text: string): void
}

/** What is known of one publication. */
type Entry = {
  /** Rounds of announcing that an owner whose places it is below is left alone, and how many of them are over. */
  readonly belowRank: Map<NodeId, { rounds: number; over: number }>
  readonly publication: Publication
  /** Owners that hold it, as far as we were told. */
  readonly held: Set<NodeId>
  /** Owners that do not take it. */
  readonly refused: Map<NodeId, Refusal>
  /** Owners that need not be asked again: they hold it, or refused it. */
  readonly settled: Set<NodeId>
  /** Owners that are being asked, or will be. */
  readonly asking: Set<NodeId>
}

/** One owner is to be told of one publication; `done` when it was tried once, whatever came of it. */
type Ask = { readonly entry: Entry; done(): void }

/**
 * Sends our index events to the owners of their keywords' partitions, until each has said it holds them. Nothing is
 * kept on disk: at a start everything that still holds is announced again, and owners drop what they have. Holds one
 * entry for each publication that still holds, besides those that are on their way.
 */
export class Publications {
  readonly #options: PublicationsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #new: OwnerLanes<Ask>
  readonly #backlog: OwnerLanes<Ask>
  /** Owners that failed: how long they are left alone, ms, and whether that time still runs. */
  readonly #pauses = new Map<NodeId, { waitMs: number; runs: boolean }>()
  /** What was read last: three owners are told the same. */
  readonly #signedLast = new BoundedMap<string, SignedEvent>(SIGNED_KEPT_MAX)
  /** Something may have changed since the last look at everything began, and what was replaced since then. */
  #isOutOfDate = false
  #isLooking = false
  readonly #replaced = new Set<string>()
  readonly #cancels = new Set<() => void>()
  readonly #stop = new AbortController()

  constructor(options: PublicationsOptions) {
    this.#options = options
    const send = (owner: NodeId, asks: readonly Ask[]) => this.#send(owner, asks)
    const itemsMax = EVENTS_PER_MESSAGE_MAX
    this.#new = new OwnerLanes({ perOwnerMax: NEW_PER_OWNER_MAX, totalMax: NEW_TOTAL_MAX, itemsMax, send })
    this.#backlog = new OwnerLanes({ perOwnerMax: 1, totalMax: BACKLOG_TOTAL_MAX, itemsMax, send })
  }

  /** Announces everything that still holds, now and again from time to time. */
  start(): void {
    for (const { held, refused, settled, asking, belowRank } of this.#entries.values()) {
      // Somebody may wait for those that are on their way.
      if (asking.size > 0) continue
      held.clear()
      for (const owner of settled) {
        if (waits(belowRank.get(owner))) continue
        settled.delete(owner)
        refused.delete(owner)
      }
    }
    this.reconsider()
    this.#later(REPUBLISH_MS, () => this.start())
  }

  /** The index nodes are others now: looks at everything that still holds, and asks the owners that were not asked yet. */
  reconsider(): void {
    this.#isOutOfDate = true
    // One that goes on looks at all of it again when it is through.
    if (!this.#isLooking) this.#inTurns(this.#lookAtAll())
  }

  *#lookAtAll(): Generator<void> {
    this.#isLooking = true
    while (this.#isOutOfDate) {
      this.#isOutOfDate = false
      const current = new Map<string, Publication>()
      for (const [at, publication] of this.#options.current().entries()) {
        if (isTurn(at)) yield
        current.set(key(publication), publication)
      }
      for (const [at, [name, entry]] of [...this.#entries].entries()) {
        if (isTurn(at)) yield
        const isOver = !current.has(name) && entry.asking.size === 0
        if (isOver && this.#lacking(entry).length === 0) this.#entries.delete(name)
      }
      for (const [at, [name, publication]] of [...current].entries()) {
        if (isTurn(at)) yield
        // Meanwhile another may have taken its place.
        if (this.#replaced.has(name)) continue
        const entry = this.#entryOf(publication)
        for (const owner of this.#lacking(entry)) if (!entry.asking.has(owner)) this.#ask(this.#backlog, owner, entry)
      }
    }
    this.#replaced.clear()
    this.#isLooking = false
  }

  /** The first turn is this one: what is soon done is done when this returns. */
  #inTurns(steps: Generator<void>): void {
    if (!this.#isStopped && steps.next().done !== true) setImmediate(() => this.#inTurns(steps))
  }

  /**
   * Tells a new event to the owners of its keywords, ahead of everything older.
   * @param replaced what it takes the place of, which is told to nobody any more
   * @returns what came of it when each owner has answered, refused, failed or been silent too long, once; the rest goes on
   *   in the background. Never rejects.
   */
  async announce(publication: Publication, replaced?: Publication): Promise<Announcement> {
    if (replaced !== undefined) {
      this.#entries.delete(key(replaced))
      if (this.#isLooking) this.#replaced.add(key(replaced))
    }
    const entry = this.#entryOf(publication)
    if (!this.#isStopped) {
      await Promise.all(
        this.#lacking(entry).map((owner) => new Promise<void>((resolve) => this.#ask(this.#new, owner, entry, resolve))),
      )
    }
    const refusedBy = [...entry.refused].map(([node, code]) => ({ node, code }))
    return { heldBy: [...entry.held], lackedBy: this.#lacking(entry), refusedBy }
  }

  /** Who does not take how many of the publications that still hold, and why; not of those that have lost places and are held by others. */
  refusals(): { node: NodeId; code: Refusal; publications: number }[] {
    const rows = new Map<string, { node: NodeId; code: Refusal; publications: number }>()
    for (const { publication, refused, held } of this.#entries.values()) {
      for (const [node, code] of refused) {
        if (!this.#ownersOf(publication).has(node)) continue
        // It has its places with others.
        if (code === 'below-rank' && held.size > 0) continue
        const row = rows.get(`${node} ${code}`) ?? { node, code, publications: 0 }
        rows.set(`${node} ${code}`, { ...row, publications: row.publications + 1 })
      }
    }
    return [...rows.values()]
  }

  /** Publications of which something is remembered. */
  get size(): number {
    return this.#entries.size
  }

  stop(): void {
    this.#stop.abort()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    for (const ask of [...this.#new.takeAll(), ...this.#backlog.takeAll()]) ask.done()
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([this.#new.settled(), this.#backlog.settled()])
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  #entryOf(publication: Publication): Entry {
    const known = this.#entries.get(key(publication))
    if (known !== undefined) return known
    const entry = newEntry(publication)
    this.#entries.set(key(publication), entry)
    return entry
  }

  #lacking({ publication, settled }: Entry): NodeId[] {
    const lacking: NodeId[] = []
    for (const keyword of publication.keywords)
      for (const owner of this.#options.ownersOf(keyword))
        if (!settled.has(owner) && !lacking.includes(owner)) lacking.push(owner)
    return lacking
  }

  #ownersOf({ keywords }: Publication): Set<NodeId> {
    return new Set(keywords.flatMap((keyword) => this.#options.ownersOf(keyword)))
  }

  #ask(lane: OwnerLanes<Ask>, owner: NodeId, entry: Entry, onDone = () => {}): void {
    entry.asking.add(owner)
    const done = () => {
      entry.asking.delete(owner)
      onDone()
    }
    lane.push(owner, { entry, done })
  }

  /** One message to one owner with what fits of it. @returns how many of `asks` were dealt with */
  async #send(owner: NodeId, asks: readonly Ask[]): Promise<number> {
    let count = 0
    try {
      const entries: Entry[] = []
      const events: SignedEvent[] = []
      let bytes = 0
      const wanted = asks.flatMap(({ entry }) => (this.#isWanted(entry, owner) ? [entry.publication] : []))
      const signed = await this.#signed(wanted)
      for (const { entry } of asks) {
        const event = signed.get(key(entry.publication))
        if (event !== undefined) {
          bytes += messageBytes(event)
          if (bytes > EVENTS_BYTES_MAX && events.length > 0) break
          entries.push(entry)
          events.push(event)
        }
        count += 1
      }
      if (events.length === 0 || (await this.#request(owner, entries, events))) this.#answered(owner)
      else this.#failed(owner)
    } catch {
      // Unreachable now, or our log is being closed. What else was meant for it would fare no better.
      count = asks.length
      this.#failed(owner)
    }
    for (const ask of asks.slice(0, count)) ask.done()
    return count
  }

  /** False once it was replaced, the owner owns none of its words any more, or has answered. */
  #isWanted(entry: Entry, owner: NodeId): boolean {
    return this.#entries.get(key(entry.publication)) === entry && this.#lacking(entry).includes(owner)
  }

  /** Without those that the log does not have (any more): nobody can be told of them. */
  async #signed(wanted: readonly Publication[]): Promise<Map<string, SignedEvent>> {
    const found = new Map<string, SignedEvent>()
    const unread: Publication[] = []
    for (const publication of wanted) {
      const event = this.#signedLast.get(key(publication))
      if (event === undefined) unread.push(publication)
      else found.set(key(publication), event)
    }
    for (const { author, first, last } of runsOf(unread)) {
      for await (const event of this.#options.log.readSigned(author, 'index', first, last)) {
        const { authorSeq } = scanBody(event.body)
        found.set(key({ author, authorSeq }), event)
        this.#signedLast.set(key({ author, authorSeq }), event)
      }
    }
    return found
  }

  /** @returns false if it is to be asked again soon: it did not say something of each, or knows nothing of our admission yet */
  async #request(owner: NodeId, entries: readonly Entry[], events: readonly SignedEvent[]): Promise<boolean> {
    const { overlay, onProblem } = this.#options
    const options = { timeoutMs: REQUEST_TIMEOUT_MS, signal: this.#stop.signal }
    const outcomes = decodePublishReply(await overlay.request(owner, INDEX_METHODS.publish, encodePublish(events), options))
    const refusals = new Map<Refusal, number>()
    entries.forEach(({ held, refused, settled, belowRank }, index) => {
      const outcome = outcomes[index]
      if (outcome === undefined || outcome === 'deferred') return
      refused.delete(owner)
      if (outcome !== 'below-rank') belowRank.delete(owner)
      if (outcome === 'stored' || outcome === 'duplicate') held.add(owner)
      else if (outcome === 'below-rank') {
        // No fault of anybody's: others have its places, and it has one with the owners of its other words.
        refused.set(owner, outcome)
        belowRank.set(owner, { rounds: Math.min(2 * (belowRank.get(owner)?.rounds ?? 0) || 1, BELOW_RANK_ROUNDS_MAX), over: 0 })
      } else {
        refused.set(owner, outcome)
        refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1)
      }
      // Asking again would not change a refusal: it is told, and settled like the rest. For what is over the budget there is
      // room later: it is offered with the next round of republishing.
      settled.add(owner)
    })
    for (const [code, count] of refusals)
      onProblem(
        `index node ${owner.slice(0, 8)} does not take ${count} of ${entries.length} publications: ${REFUSAL_SENTENCES[code]}`,
      )
    return outcomes.length >= entries.length && !outcomes.includes('deferred')
  }

  #answered(owner: NodeId): void {
    if (this.#pauses.get(owner)?.runs === false) this.#pauses.delete(owner)
  }

  /** Leaves an owner alone for a while, then asks it for all that it lacks by then. */
  #failed(owner: NodeId): void {
    for (const ask of this.#backlog.take(owner)) ask.done()
    const pause = this.#pauses.get(owner) ?? { waitMs: RETRY_MS_MIN / 2, runs: false }
    if (this.#isStopped || pause.runs) return
    const waitMs = Math.min(pause.waitMs * 2, RETRY_MS_MAX)
    this.#pauses.set(owner, { waitMs, runs: true })
    this.#later(waitMs, () => this.#inTurns(this.#askAgain(owner, waitMs)))
  }

  *#askAgain(owner: NodeId, waitMs: number): Generator<void> {
    this.#pauses.set(owner, { waitMs, runs: false })
    let isLacking = false
    for (const [at, entry] of [...this.#entries.values()].entries()) {
      if (isTurn(at)) yield
      if (!this.#lacking(entry).includes(owner)) continue
      isLacking = true
      if (!entry.asking.has(owner)) this.#ask(this.#backlog, owner, entry)
    }
    if (!isLacking) this.#answered(owner)
  }

  #later(delayMs: number, run: () => void): void {
    if (this.#isStopped) return
    const cancel = this.#options.timers.after(delayMs, () => {
      this.#cancels.delete(cancel)
      run()
    })
    this.#cancels.add(cancel)
  }
}

/** True while an owner is left alone; counts the round. */
function waits(below: { rounds: number; over: number } | undefined): boolean {
  if (below === undefined) return false
  below.over += 1
  return below.over < below.rounds
}

const isTurn = (at: number): boolean => at % LOOKED_AT_IN_A_TURN === LOOKED_AT_IN_A_TURN - 1

const newEntry = (publication: Publication): Entry => ({
  publication,
  belowRank: new Map(),
  held: new Set(),
  refused: new Map(),
  settled: new Set(),
  asking: new Set(),
})

function key({ author, authorSeq }: Pick<Publication, 'author' | 'authorSeq'>): string {
  return `${author}/${authorSeq}`
}

/** Numbers that follow one another, as one read each. */
function runsOf(publications: readonly Publication[]): { author: NodeId; first: number; last: number }[] {
  const runs: { author: NodeId; first: number; last: number }[] = []
  for (const { author, authorSeq } of publications) {
    const run = runs.at(-1)
    if (run?.author === author && run.last === authorSeq - 1) run.last = authorSeq
    else runs.push({ author, first: authorSeq, last: authorSeq })
  }
  return runs
}
