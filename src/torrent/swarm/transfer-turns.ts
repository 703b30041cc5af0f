import type { Timers } from '../../events/index.ts'
import { PEER_CLASSES, type PeerClass } from '../peer-class.ts'
import { RateLimit } from './rate-limit.ts'

/** A torrent transfers no more at once while others wait, bytes. */
export const QUANTUM_BYTES = 64 * 1024
/** What a torrent may catch up on that did not ask for a moment, as it read from its disk or from a socket: one read, bytes. */
export const CATCH_UP_BYTES = 256 * 1024
/** Who asked for nothing for longer than this was away, and begins with the others, ms. */
const AWAY_MS = 250
/** Who waits looks again after this time at the latest: a limit may be changed meanwhile. */
const LOOK_MS = 250

/** What waits for its turn. */
export type Transfer = {
  readonly peerClass: PeerClass
  /** Takes what it transfers of the limits, once; waits anew for more. @returns the bytes */
  run(): number
}

/**
 * Who transfers next under the limits that all share, in one direction: of the torrents that wait and may go, the one that
 * has had least, so that many peers, or many blocks at once, get a torrent no more than its share. What a transfer takes may be known
 * only after it; it counts all the same. Within a torrent, each peer has one transfer and then waits behind the others.
 * Source: start-time fair queuing (Goyal, Vin and Cheng 1996): over any time two torrents that ask differ by no more than one
 * transfer of each; deficit round robin (Shreedhar and Varghese 1995) is one by its quantum more, and forgets who is away for a moment.
 */
export class TransferTurns {
  readonly all = new RateLimit()
  readonly classes: Readonly<Record<PeerClass, RateLimit>> = { local: new RateLimit(), remote: new RateLimit() }
  readonly #timers: Timers
  readonly #now: () => number
  /** Those that wait. */
  readonly #waiting = new Set<TransferFlow>()
  /** What the one that went last had had by then, in bytes: the others are ahead of it, or behind by what they catch up on. */
  #hadBytes = 0
  #isServing = false
  #timer: { at: number; cancel: () => void } | undefined

  constructor({ timers, now }: { timers: Timers; now: () => number }) {
    this.#timers = timers
    this.#now = now
  }

  now(): number {
    return this.#now()
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  /** Another one waits. */
  isContended(flow: TransferFlow): boolean {
    return this.#waiting.size > (this.#waiting.has(flow) ? 1 : 0)
  }

  /** One torrent's share. */
  flow(): TransferFlow {
    return new TransferFlow(this)
  }

  /** It waits from now on. @param wasAway what it did not ask for meanwhile is the others' */
  begins(flow: TransferFlow, wasAway: boolean): void {
    if (wasAway) flow.hadBytes = Math.max(flow.hadBytes, this.#hadBytes)
    this.#waiting.add(flow)
  }

  ends(flow: TransferFlow): void {
    this.#waiting.delete(flow)
    if (this.isIdle) this.#setTimer()
  }

  /** Carries out all that the limits give now. */
  serve(): void {
    if (this.#isServing) return
    this.#isServing = true
    try {
      let next = this.#next()
      while (next !== undefined) {
        const { flow, transfer } = next
        // What a limit of its own, or of its peers, has kept it from is the others' too.
        flow.hadBytes = Math.max(flow.hadBytes, this.#hadBytes - CATCH_UP_BYTES)
        this.#hadBytes = Math.max(this.#hadBytes, flow.hadBytes)
        flow.run(transfer)
        next = this.#next()
      }
    } finally {
      this.#isServing = false
    }
    this.#setTimer()
  }

  #next(): { flow: TransferFlow; transfer: Transfer } | undefined {
    if (this.isIdle || this.all.waitMs(this.#now()) > 0) return undefined
    const classes = this.#classesNow()
    let least: { flow: TransferFlow; transfer: Transfer } | undefined
    for (const flow of this.#waiting) {
      if (least !== undefined && flow.hadBytes >= least.flow.hadBytes) continue
      const transfer = flow.next(classes)
      if (transfer !== undefined) least = { flow, transfer }
    }
    return least
  }

  #classesNow(): readonly PeerClass[] {
    return PEER_CLASSES.filter((each) => this.classes[each].waitMs(this.#now()) === 0)
  }

  #setTimer(): void {
    if (this.isIdle) {
      this.#timer?.cancel()
      this.#timer = undefined
      return
    }
    const now = this.#now()
    const least = Math.min(
      LOOK_MS,
      Math.max(this.all.waitMs(now), Math.min(...[...this.#waiting].map((flow) => flow.waitMs(now)))),
    )
    // Never at once: what may go now went.
    const at = now + Math.max(1, least)
    if (this.#timer !== undefined && this.#timer.at > now && this.#timer.at <= at) return
    this.#timer?.cancel()
    const cancel = this.#timers.after(at - now, () => {
      this.#timer = undefined
      this.serve()
    })
    this.#timer = { at, cancel }
  }
}

/** What one torrent transfers in one direction. */
export class TransferFlow {
  /** Of this torrent alone. */
  readonly own = new RateLimit()
  readonly #turns: TransferTurns
  readonly #waiting: Readonly<Record<PeerClass, Set<Transfer>>> = { local: new Set(), remote: new Set() }
  /** Served last: the other has its turn first. */
  #lastClass: PeerClass = 'remote'
  /** What it has had, in bytes that count against those of others. */
  hadBytes = 0
  /** When it last had a turn. */
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(turns: TransferTurns) {
    this.#turns = turns
  }

  isLimited(peerClass: PeerClass): boolean {
    return this.#limits(peerClass).some(({ isLimited }) => isLimited)
  }

  /** Without waiting: nothing is used up, and nobody waits. */
  mayGo(peerClass: PeerClass): boolean {
    if (!this.isLimited(peerClass)) return true
    return this.#turns.isIdle && RateLimit.waitMs(this.#limits(peerClass), this.#turns.now()) === 0
  }

  /** Larger transfers would leave others without any for too long. */
  transferBytesMax(peerClass: PeerClass): number {
    const bursts = this.#limits(peerClass).map(({ burstBytes }) => burstBytes)
    return Math.min(...bursts, this.#turns.isContended(this) ? QUANTUM_BYTES : Number.POSITIVE_INFINITY)
  }

  /** @param bytes below 0: what was taken and not used is given back */
  take(peerClass: PeerClass, bytes: number): void {
    for (const limit of this.#limits(peerClass)) limit.take(bytes, this.#turns.now())
  }

  /** It took so many bytes more than it said as it had its turn. */
  overdrew(bytes: number): void {
    this.hadBytes += bytes
  }

  /** It runs when its turn comes, which may be now. */
  wait(transfer: Transfer): void {
    const wasAway = this.#isEmpty && this.#turns.now() - this.#askedAt > AWAY_MS
    this.#waiting[transfer.peerClass].add(transfer)
    this.#turns.begins(this, wasAway)
    this.#turns.serve()
  }

  cancel(transfer: Transfer): void {
    if (this.#waiting[transfer.peerClass].delete(transfer)) this.#endIfEmpty()
  }

  /** Whose turn it is among those that may go now. */
  next(classes: readonly PeerClass[]): Transfer | undefined {
    if (this.own.waitMs(this.#turns.now()) > 0) return undefined
    const able = classes.filter((each) => this.#waiting[each].size > 0)
    const chosen = able.find((each) => each !== this.#lastClass) ?? able[0]
    return chosen === undefined ? undefined : this.#waiting[chosen].values().next().value
  }

  run(transfer: Transfer): void {
    this.#waiting[transfer.peerClass].delete(transfer)
    this.#lastClass = transfer.peerClass
    // It may ask again at once.
    this.#askedAt = this.#turns.now()
    // In two steps: what it overdraws meanwhile counts as well.
    const bytes = transfer.run()
    this.hadBytes += bytes
    this.#endIfEmpty()
  }

  /** Until the first of those that wait may go, as far as the limits of its class and of the torrent go. */
  waitMs(now: number): number {
    const classes = PEER_CLASSES.filter((each) => this.#waiting[each].size > 0)
    return Math.max(this.own.waitMs(now), Math.min(...classes.map((each) => this.#turns.classes[each].waitMs(now))))
  }

  get #isEmpty(): boolean {
    return this.#waiting.local.size === 0 && this.#waiting.remote.size === 0
  }

  #endIfEmpty(): void {
    if (this.#isEmpty) this.#turns.ends(this)
  }

  #limits(peerClass: PeerClass): readonly RateLimit[] {
    return [this.#turns.all, this.#turns.classes[peerClass], this.own]
  }
}
