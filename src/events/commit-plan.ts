import { BodyError, eventOf, type ScannedBody, scanBody, signEvent, TRAVELLING_BODY_BYTES_MAX, type Upcast } from './body.ts'
import { eventId } from './canonical-order.ts'
import type { Draft, Envelope, SignedEvent, Stream } from './envelope.ts'
import type { Event } from './event.ts'
import type { Ingested } from './event-log.ts'
import type { NodeId } from './ids.ts'
import { LamportClock } from './lamport-clock.ts'
import { GAPS_MAX, type LogState } from './log-state.ts'
import { PayloadError } from './payload.ts'
import type { Signer } from './signer.ts'
import type { Clock } from './time.ts'
import { NewerEventError } from './upcasting.ts'

/** One event of a commit: the bytes to store and what they say. */
export type PlannedEvent = SignedEvent & { readonly envelope: Envelope }

export type PlanTools = { readonly signer: Signer; readonly clock: Clock; readonly upcast: Upcast }

const SIGNATURE_BYTES = 64

/**
 * Stamps, numbers, signs and de-duplicates what one commit will hold, against a state that it does not change:
 * when the write fails the plan is dropped and no sequence or stamp was used up.
 */
export class CommitPlan {
  readonly events: PlannedEvent[] = []
  readonly #state: LogState
  readonly #tools: PlanTools
  #clock: LamportClock
  /** Next own author sequence by stream. */
  #own = new Map<Stream, number>()
  /** Ids of this plan, against two copies of an event in one commit. */
  readonly #ids = new Set<string>()

  constructor(state: LogState, tools: PlanTools) {
    this.#state = state
    this.#tools = tools
    this.#clock = new LamportClock(state.clock.now)
  }

  get lamport(): number {
    return this.#clock.now
  }

  /**
   * Plans events of our own: all or none.
   * @throws BodyError | PayloadError if a draft is too long or would not read back; the plan is as it was
   */
  append(drafts: readonly Draft[]): readonly Envelope[] {
    const clock = new LamportClock(this.#clock.now)
    const own = new Map(this.#own)
    const planned = drafts.map((draft, index) => {
      const authorSeq = own.get(draft.stream) ?? this.#nextOwn(draft.stream)
      own.set(draft.stream, authorSeq + 1)
      const stamp = { lamport: clock.tick(), authorSeq, at: this.#tools.clock.now() }
      const signed = signEvent(draft, stamp, this.#tools.signer)
      // Read back at once: what a replay could not read must never be signed.
      const scanned = scanBody(signed.body)
      const event = eventOf(scanned, this.#tools.upcast)
      const { payload: _, ...header } = scanned
      return { ...signed, envelope: { seq: this.#nextSeq + index, ...header, event } }
    })
    this.#clock = clock
    this.#own = own
    for (const event of planned) {
      this.events.push(event)
      this.#ids.add(eventId(event.envelope))
    }
    return planned.map((event) => event.envelope)
  }

  /** Plans one event of somebody else, or says why not. */
  ingest(signed: SignedEvent): Ingested {
    let scanned: ScannedBody
    let event: Event
    try {
      scanned = scanBody(signed.body)
      if (!isAcceptable(scanned, signed, this.#tools.signer.id)) return { outcome: 'rejected', reason: 'malformed' }
      if (this.#state.has(scanned)) return { outcome: 'duplicate' }
      if (!this.#clock.admits(scanned.lamport)) return { outcome: 'rejected', reason: 'clock-jump' }
      event = readableEvent(scanned, this.#tools.upcast)
    } catch (error) {
      if (error instanceof BodyError || error instanceof PayloadError) return { outcome: 'rejected', reason: 'malformed' }
      throw error
    }
    const id = eventId(scanned)
    if (this.#ids.has(id)) return { outcome: 'duplicate' }
    const runs = this.#state.runsOf(scanned.author, scanned.stream)
    const opensGap = scanned.authorSeq > (runs?.highest ?? 0) + 1
    if (opensGap && (runs?.gaps ?? 0) >= GAPS_MAX[scanned.stream]) return { outcome: 'deferred' }
    this.#clock.witness(scanned.lamport)
    if (scanned.author === this.#tools.signer.id) {
      this.#own.set(scanned.stream, Math.max(this.#nextOwn(scanned.stream), scanned.authorSeq + 1))
    }
    const { payload: _, ...header } = scanned
    const envelope = { seq: this.#nextSeq, ...header, event }
    this.events.push({ body: signed.body, signature: signed.signature, envelope })
    this.#ids.add(id)
    return { outcome: 'appended', envelope }
  }

  get #nextSeq(): number {
    return this.#state.head + this.events.length + 1
  }

  // Above everything known of us, not after the contiguous part: a node restored from an old copy of its data must not
  // give a number out twice that its peers hold already.
  #nextOwn(stream: Stream): number {
    const known = this.#state.runsOf(this.#tools.signer.id, stream)?.highest ?? 0
    return this.#own.get(stream) ?? Math.max(known + 1, this.#state.floors[stream] ?? 1)
  }
}

function isAcceptable(scanned: ScannedBody, signed: SignedEvent, self: NodeId): boolean {
  if (signed.signature.length !== SIGNATURE_BYTES) return false
  // Private events of others have no business here; our own may come back from a backup.
  if (scanned.stream === 'local') return scanned.author === self
  return signed.body.length <= TRAVELLING_BODY_BYTES_MAX
}

/**
 * The event as this version understands it: one written by a newer p2pt is kept and relayed unread, like an unknown kind.
 * @throws PayloadError if the payload is not what its kind says
 */
export function readableEvent(scanned: ScannedBody, upcast: Upcast): Event {
  try {
    return eventOf(scanned, upcast)
  } catch (error) {
    if (error instanceof NewerEventError) return { kind: 'unknown', number: scanned.kind, payload: scanned.payload.slice() }
    throw error
  }
}
