import {
  type EventLog,
  type Header,
  isWellFormed,
  LAMPORT_JUMP_MAX,
  type QuarantineReason,
  type ScannedBody,
  type SignedEvent,
  scanBody,
  type VerifySignature,
} from '../../events/index.ts'
import type { AuthorRates } from './author-rates.ts'
import { goesFirst } from './precedence.ts'
import type { SeenEvents } from './seen-events.ts'

/** What gossip may ask of the log, without waiting. */
export type HeldEvents = Pick<EventLog, 'lamport' | 'has' | 'versionVector'>

/** Verdicts have a rate of their own: whoever chatters can still warn. */
export type Rates = { readonly first: AuthorRates; readonly rest: AuthorRates }

export type Verdict =
  /** `spread` false: over its author's rate, to be kept but not pushed on. */
  | { verdict: 'new'; header: Header; spread: boolean }
  | { verdict: 'duplicate'; header: Header }
  | { verdict: 'rejected'; reason: QuarantineReason; header: Header | undefined }

/**
 * Decides about each event that arrives, in the order of cost: header, copy, clock, and last the signature, which
 * costs a thousand times as much as the rest and is checked once an event.
 */
export class Admission {
  readonly #held: HeldEvents
  readonly #seen: SeenEvents
  readonly #rates: Rates
  readonly #verify: VerifySignature
  /** Stamps of events that were admitted and are not in the log yet count as witnessed. */
  #lamport = 0

  constructor(held: HeldEvents, seen: SeenEvents, rates: Rates, verify: VerifySignature) {
    this.#held = held
    this.#seen = seen
    this.#rates = rates
    this.#verify = verify
  }

  /** @param live true for events of the broadcast, which are subject to their author's rate */
  judge(event: SignedEvent, live: boolean, now: number): Verdict {
    const header = headerOf(event)
    if (header === undefined || header.stream !== 'gossip')
      return { verdict: 'rejected', reason: 'malformed', header: undefined }
    const { author, authorSeq } = header
    if (this.#seen.has(author, authorSeq) || this.#held.has(header)) return { verdict: 'duplicate', header }
    const witnessed = Math.max(this.#lamport, this.#held.lamport)
    const stampFits = Number.isSafeInteger(header.lamport) && header.lamport >= 1
    if (!stampFits || header.lamport > witnessed + LAMPORT_JUMP_MAX)
      return { verdict: 'rejected', reason: 'clock-jump', header }
    if (!isWellFormed(header)) return { verdict: 'rejected', reason: 'malformed', header: undefined }
    if (!this.#verify(event.body, event.signature, author)) return { verdict: 'rejected', reason: 'bad-signature', header }
    this.#lamport = Math.max(witnessed, header.lamport)
    // After the signature: a forger must not use up somebody else's rate.
    return {
      verdict: 'new',
      header,
      spread: !live || (goesFirst(header) ? this.#rates.first : this.#rates.rest).take(author, now),
    }
  }
}

function headerOf({ body }: SignedEvent): ScannedBody | undefined {
  try {
    return scanBody(body)
  } catch {
    return undefined
  }
}
