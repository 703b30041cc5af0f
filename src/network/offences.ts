import type { Event, EventOf, NodeId, QuarantineReason, Timers } from '../events/index.ts'
import { Misconduct, QUARANTINE_EVERY_MS } from './misconduct.ts'
import { NamedTimers } from './named-timers.ts'
import type { EventEvidence } from './protocol.ts'
import type { LinkLoss } from './transport.ts'

export type OffencesOptions = {
  now: () => number
  timers: Timers
  append: (event: Event) => void
  drop: (peer: NodeId, why: LinkLoss) => void
}

/** What is done about a peer's offence: it is counted, told in the log, and in the end costs the link. */
export class Offences {
  readonly #options: OffencesOptions
  readonly #misconduct = new Misconduct()
  readonly #timers: NamedTimers<{ name: 'tell' }>
  #count = 0

  constructor(options: OffencesOptions) {
    this.#options = options
    this.#timers = new NamedTimers(options.timers)
  }

  get count(): number {
    return this.#count
  }

  /** True while a peer that misbehaved is not to be linked with. */
  refuses(peer: NodeId): boolean {
    return this.#misconduct.refuses(peer, this.#options.now())
  }

  charge(peer: NodeId, reason: QuarantineReason, evidence?: EventEvidence): void {
    const { now, append, drop } = this.#options
    this.#count++
    const entry = this.#misconduct.quarantine(peer, reason, evidence)
    if (entry !== undefined) append(entry)
    if (this.#misconduct.charge(peer, reason, now())) drop(peer, reason === 'flood' ? 'flood' : 'malformed')
  }

  /** The log did not take an entry: it is counted into the next about the same. */
  notStored(entry: EventOf<'event.quarantined'>): void {
    this.#misconduct.notStored(entry)
  }

  /** Tells what was counted, now and then. */
  start(): void {
    this.tell()
    this.#timers.set({ name: 'tell' }, QUARANTINE_EVERY_MS, () => this.start())
  }

  /** Tells what was counted. */
  tell(): void {
    for (const entry of this.#misconduct.flush()) this.#options.append(entry)
  }

  stop(): void {
    this.#timers.clear()
  }
}
