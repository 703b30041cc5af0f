import { Heap } from '../model/heap.ts'
import type { InfoHash } from '../model/ids.ts'

// When which torrent is announced in a DHT and looked up there. It stands here, as the addresses do, since both network and
// torrent announce torrents and do not know each other.

/**
 * Of all torrents together. A visit is one look-up with the announcement that follows on it; each is some forty datagrams, so
 * thousands of torrents on clocks of their own would do nothing but that.
 */
export type AnnounceBudget = {
  /** Visits under way. */
  underWayMax: number
  /** Visits begun in a second, and how many of them at once after a rest. */
  perSecond: number
  burst: number
}

/** Second visit of a torrent, ms; the next ones come later by half each time. A small swarm forms in about this time. */
const AGAIN_MS = 2_000
/** Longest wait between two visits of a torrent that looks for peers, ms. */
const WANTING_MS_MAX = 300_000
/** Of one that is only kept announced, ms: nodes forget after 15 to 20 minutes, and the queue may be long. */
const KEEPING_MS = 600_000
/** So long after it was joined a DHT knows few nodes: what was announced there is announced again soon, ms. */
const YOUNG_MS = 60_000
/** Longest wait after a visit that no node answered, ms. */
const FAILED_MS_MAX = 60_000

/** How long a visit may have been due before it comes ahead of one that is due only now, ms. */
const AHEAD_MS = { urged: 120_000, first: 60_000, wanting: 20_000, keeping: 0 }

type Rank = keyof typeof AHEAD_MS
const RANKS = Object.keys(AHEAD_MS) as Rank[]

type Entry = {
  /** Its turn that counts; others of it in the queues are old. */
  turn: Turn
  waitMs: number
  visit: Visit | undefined
  /** It was urged while it was visited. */
  again: boolean
}

type Turn = { readonly infoHash: InfoHash; readonly rank: Rank; readonly dueAt: number }

/** One that has begun. */
export type Visit = { readonly infoHash: InfoHash }

export type VisitOutcome = {
  /** Some node has taken the announcement. */
  wasHeard: boolean
  /** Peers are looked for. */
  isWanting: boolean
}

/**
 * Which torrent is visited next, and when. Those that a person has just asked for come first, then those that are new, then those
 * that look for peers; but what has been due for longer than the others come ahead of it is next, so that none starves. Times are
 * ms of a clock that only goes forward.
 */
export class AnnounceSchedule {
  readonly #budget: AnnounceBudget
  readonly #entries = new Map<InfoHash, Entry>()
  readonly #queues = new Map(RANKS.map((rank) => [rank, new Heap<Turn>(({ dueAt }) => dueAt)]))
  readonly #underWay = new Set<Visit>()
  #tokens: number
  #tokensAt = 0
  #youngUntil = Number.NEGATIVE_INFINITY

  constructor(budget: AnnounceBudget) {
    this.#budget = budget
    this.#tokens = budget.burst
  }

  has(infoHash: InfoHash): boolean {
    return this.#entries.has(infoHash)
  }

  get size(): number {
    return this.#entries.size
  }

  get underWay(): number {
    return this.#underWay.size
  }

  /** It is due at once, unless it is here already. @param isWanting it looks for peers */
  add(infoHash: InfoHash, isWanting: boolean, now: number): void {
    if (this.#entries.has(infoHash)) return
    const turn: Turn = { infoHash, rank: isWanting ? 'urged' : 'first', dueAt: now }
    this.#entries.set(infoHash, { turn, waitMs: AGAIN_MS, visit: undefined, again: false })
    this.#queue(turn)
  }

  /** Peers are wanted of it now: it is due at once, ahead of others. */
  urge(infoHash: InfoHash, now: number): void {
    const entry = this.#entries.get(infoHash)
    if (entry === undefined) return
    if (entry.visit !== undefined) entry.again = true
    else this.#due(entry, 'urged', now)
  }

  delete(infoHash: InfoHash): void {
    this.#entries.delete(infoHash)
  }

  clear(): void {
    this.#entries.clear()
    for (const queue of this.#queues.values()) queue.clear()
  }

  /** The DHT was joined, for the first time or anew: nobody there knows any of them. */
  joined(now: number): void {
    this.#youngUntil = now + YOUNG_MS
    for (const entry of this.#entries.values()) {
      if (entry.visit !== undefined) entry.again = true
      else this.#due(entry, entry.turn.rank === 'keeping' ? 'first' : entry.turn.rank, now)
    }
  }

  /** Begins the next visit. Undefined if none is due, or the budget is used up for now. */
  next(now: number): Visit | undefined {
    this.#refill(now)
    if (this.#tokens < 1 || this.#underWay.size >= this.#budget.underWayMax) return undefined
    const entry = this.#first(now)
    if (entry === undefined) return undefined
    this.#tokens--
    const visit = { infoHash: entry.turn.infoHash }
    entry.visit = visit
    this.#underWay.add(visit)
    return visit
  }

  /** Whatever came of it. */
  ended(visit: Visit, { wasHeard, isWanting }: VisitOutcome, now: number): void {
    this.#underWay.delete(visit)
    const entry = this.#entries.get(visit.infoHash)
    // Taken out meanwhile, or taken out and added again.
    if (entry?.visit !== visit) return
    entry.visit = undefined
    if (entry.again) {
      this.#due(entry, 'urged', now)
      return
    }
    const isSoon = !wasHeard || isWanting || now < this.#youngUntil
    const rank = wasHeard ? (isWanting ? 'wanting' : 'keeping') : entry.turn.rank
    this.#turn(entry, rank, now + (isSoon ? entry.waitMs : KEEPING_MS))
    entry.waitMs = Math.min(entry.waitMs * 1.5, wasHeard ? WANTING_MS_MAX : FAILED_MS_MAX)
  }

  /** When `next` is to be asked again; undefined: not before a visit ends or a torrent is added. */
  wakeAt(now: number): number | undefined {
    if (this.#underWay.size >= this.#budget.underWayMax) return undefined
    const firsts = RANKS.flatMap((rank) => this.#firstOf(rank) ?? [])
    if (firsts.length === 0) return undefined
    const dueAt = Math.min(...firsts.map((turn) => turn.dueAt))
    this.#refill(now)
    const waitMs = this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#budget.perSecond) * 1_000
    return Math.max(dueAt, now + waitMs)
  }

  #due(entry: Entry, rank: Rank, now: number): void {
    entry.again = false
    entry.waitMs = AGAIN_MS
    this.#turn(entry, rank, now)
  }

  #turn(entry: Entry, rank: Rank, dueAt: number): void {
    entry.turn = { infoHash: entry.turn.infoHash, rank, dueAt }
    this.#queue(entry.turn)
  }

  #queue(turn: Turn): void {
    this.#queues.get(turn.rank)?.push(turn)
  }

  /** Takes out the one that comes first of those that are due. */
  #first(now: number): Entry | undefined {
    let first: Turn | undefined
    for (const rank of RANKS) {
      const turn = this.#firstOf(rank)
      if (turn === undefined || turn.dueAt > now) continue
      if (first === undefined || turn.dueAt - AHEAD_MS[rank] < first.dueAt - AHEAD_MS[first.rank]) first = turn
    }
    if (first === undefined) return undefined
    this.#queues.get(first.rank)?.take()
    return this.#entries.get(first.infoHash)
  }

  /** The earliest that still counts; what does not is dropped on the way. */
  #firstOf(rank: Rank): Turn | undefined {
    const queue = this.#queues.get(rank)
    for (;;) {
      const turn = queue?.first
      if (turn === undefined || this.#entries.get(turn.infoHash)?.turn === turn) return turn
      queue?.take()
    }
  }

  #refill(now: number): void {
    const { perSecond, burst } = this.#budget
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#tokensAt) / 1_000) * perSecond)
    this.#tokensAt = now
  }
}
