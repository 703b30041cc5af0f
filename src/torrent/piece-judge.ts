import type { BadPiece, Clock, PeerId, PieceRange, Timers } from '../events/index.ts'
import { Parole } from './parole.ts'
import type { Conviction, PieceBlameOptions } from './piece-blame.ts'
import { PieceBlame } from './piece-blame.ts'
import { PieceRetries } from './piece-retries.ts'
import { VerdictBatch } from './verdict-batch.ts'

// What follows from a piece that passed or failed: verdicts to tell, and what may be asked of whom from then on.

/** How often stalled pieces are taken back and retries are tried that nothing else would set off. */
const TICK_MS = 1_000

export type JudgeHooks = {
  verified(pieces: readonly PieceRange[]): void
  judged(subject: PeerId, good: readonly PieceRange[], bad: readonly BadPiece[]): void | Promise<void>
  suspected(index: number, sources: readonly PeerId[]): void
  /** Take back what was asked of this peer. */
  cancelRequests(peer: PeerId): void
  /** Something may be asked now that could not before. */
  update(): void
}

export class PieceJudge {
  readonly #hooks: JudgeHooks
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #blame: PieceBlame
  readonly #batch: VerdictBatch
  readonly #parole: Parole
  readonly #retries = new PieceRetries()
  /** Peers whose ban is being decided, with how many decisions are open. */
  readonly #held = new Map<PeerId, number>()
  #cancelTick: () => void

  constructor(
    options: PieceBlameOptions & { clock: Clock; timers: Timers; onThinIce: ReadonlySet<PeerId> },
    hooks: JudgeHooks,
  ) {
    this.#hooks = hooks
    this.#clock = options.clock
    this.#timers = options.timers
    this.#blame = new PieceBlame(options)
    this.#parole = new Parole(options.onThinIce)
    // Their pieces have no failure to set off the tick that takes stalled ones back.
    this.#cancelTick = this.#timers.after(TICK_MS, () => this.#tick())
    this.#batch = new VerdictBatch(hooks, options.timers)
  }

  accept(index: number, offset: number, peer: PeerId, block: Uint8Array): void {
    this.#blame.accept(index, offset, peer, block)
    this.#parole.received(peer, index, () => this.#clock.now())
  }

  /** The blocks of this piece were thrown away. */
  forget(index: number): void {
    this.#blame.forget(index)
  }

  onParole(peer: PeerId): boolean {
    return this.#parole.has(peer)
  }

  mayAsk(peer: PeerId, index: number, untouched: () => boolean): boolean {
    const now = () => this.#clock.now()
    if (this.#held.has(peer) || !this.#retries.mayAsk(peer, index, now)) return false
    return this.#parole.mayAsk(peer, index, untouched, now)
  }

  /** The piece stands on the disk and matches its hash, from peers or found there. */
  passed(index: number): void {
    this.#batch.verified(index)
    this.#parole.settle(index)
    if (!this.#blame.has(index)) return
    const { good, guilty } = this.#blame.passed(index)
    for (const peer of good) {
      this.#parole.clear(peer)
      this.#batch.good(peer, index)
    }
    for (const conviction of guilty) this.#convict(conviction)
  }

  failed(index: number): void {
    const { guilty, suspects } = this.#blame.failed(index)
    this.#parole.settle(index)
    for (const conviction of guilty) this.#convict(conviction)
    for (const peer of suspects) this.#putOnParole(peer)
    if (suspects.length > 0) this.#hooks.suspected(index, suspects)
  }

  left(peer: PeerId): void {
    this.#parole.leave(peer)
  }

  flush(): void {
    this.#batch.flush()
  }

  close(): void {
    this.#cancelTick()
    this.#batch.flush()
  }

  #convict({ peer, piece }: Conviction): void {
    this.#retries.failed(peer, piece.index, this.#clock.now())
    this.#putOnParole(peer)
    const decision = this.#batch.bad(peer, piece)
    if (decision !== undefined) this.#hold(peer, decision)
  }

  #putOnParole(peer: PeerId): void {
    if (this.#parole.has(peer)) return
    this.#parole.begin(peer)
    this.#hooks.cancelRequests(peer)
  }

  #hold(peer: PeerId, decision: Promise<void>): void {
    this.#held.set(peer, (this.#held.get(peer) ?? 0) + 1)
    const release = () => {
      const left = (this.#held.get(peer) ?? 1) - 1
      if (left > 0) this.#held.set(peer, left)
      else this.#held.delete(peer)
      this.#hooks.update()
    }
    decision.then(release, release)
  }

  #tick(): void {
    this.#cancelTick = this.#timers.after(TICK_MS, () => this.#tick())
    if (!this.#parole.isEmpty) {
      for (const peer of this.#parole.overdue(this.#clock.now())) this.#hooks.cancelRequests(peer)
      this.#hooks.update()
    }
  }
}
