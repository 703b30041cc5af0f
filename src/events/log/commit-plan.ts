import { bodyOf, envelopeOf, TRAVELLING_BODY_BYTES_MAX } from '../codec/body.ts'
import { BodyError, BodyScan } from '../codec/body-scan.ts'
import { type Origin, PayloadError } from '../codec/payload.ts'
import type { Upcast } from '../codec/upcasting.ts'
import type { CommitSigner, Signer } from '../keys/signer.ts'
import type { Draft, Envelope, Header, SignedEvent, Stream } from '../model/envelope.ts'
import type { Event } from '../model/event.ts'
import type { NodeId } from '../model/ids.ts'
import { belongsIn, streamOf } from '../model/kinds.ts'
import { isStamp, LAMPORT_MAX, LamportClock } from '../model/lamport-clock.ts'
import type { Clock } from '../model/time.ts'
import type { CommitBudget, ContentRules } from '../rules/content-rules.ts'
import type { Ingested } from './event-log.ts'
import { type AuthorRun, extendRuns, GAPS_MAX, type LogState } from './log-state.ts'

/** What one commit holds. */
export type Commit = { readonly events: readonly PlannedEvent[]; readonly runs: readonly AuthorRun[] }

/** One event of a commit: the bytes to store and what they say. */
export type PlannedEvent = SignedEvent & { readonly envelope: Envelope }

export type PlanTools = {
  readonly signer: Signer
  readonly clock: Clock
  readonly upcast: Upcast
  /** The network's rules. Tools leave them out: their logs take what they are given. */
  readonly rules?: ContentRules
}

const NO_RULES: ContentRules = {
  isRevoked: () => false,
  isShut: () => false,
  lamportMax: () => LAMPORT_MAX,
  ownLamportMax: () => LAMPORT_MAX,
  judge: () => 'take',
}

const SIGNATURE_BYTES = 64
/** Stands in an own event until `sign`. */
const UNSIGNED = new Uint8Array()

/**
 * Stamps, numbers, signs and de-duplicates what one commit will hold, against a state that it does not change:
 * when the write fails the plan is dropped and no sequence or stamp was used up. `sign` comes last.
 */
export class CommitPlan {
  readonly events: PlannedEvent[] = []
  /** The same events as runs of their authors. */
  readonly runs: AuthorRun[] = []
  readonly #state: LogState
  readonly #tools: PlanTools
  readonly #rules: ContentRules
  #budget: CommitBudget | undefined
  #clock: LamportClock
  /** Next own author sequence by stream. */
  #own = new Map<Stream, number>()
  readonly #scan = new BodyScan()
  readonly #signer: CommitSigner
  /** Places in `events` of those that `sign` signs. */
  readonly #unsigned: number[] = []
  /** Highest author sequence in this plan. */
  readonly #highest: { readonly [S in Stream]: Map<NodeId, number> } = { local: new Map(), gossip: new Map(), index: new Map() }

  /** @param own estimated number of own events in the commit */
  constructor(state: LogState, tools: PlanTools, signer: CommitSigner, own: number) {
    this.#state = state
    this.#signer = signer
    signer.begin(own)
    this.#tools = tools
    this.#rules = tools.rules ?? NO_RULES
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
    const lamportMax = this.#rules.ownLamportMax()
    const planned = drafts.map((draft, index) => {
      const stream = streamOf(draft)
      const authorSeq = own.get(stream) ?? this.#nextOwn(stream)
      own.set(stream, authorSeq + 1)
      const stamp = { lamport: clock.tick(lamportMax), authorSeq, at: this.#tools.clock.now() }
      const body = bodyOf({ stream, event: draft.event }, stamp, this.#tools.signer.id)
      // Read back at once: what a replay could not read must never be signed.
      this.#scan.read(body, 0, body.length)
      return { body, signature: UNSIGNED, envelope: envelopeOf(this.#scan, body, this.#nextSeq + index, this.#tools.upcast) }
    })
    this.#clock = clock
    this.#own = own
    for (const event of planned) {
      this.#signer.add(event.body)
      this.#unsigned.push(this.events.length)
      this.#take(event)
    }
    return planned.map((event) => event.envelope)
  }

  /** Signs all planned own events; the plan can be written after that. */
  sign(): void {
    const signatures = this.#signer.finish()
    for (const [index, place] of this.#unsigned.entries()) {
      const { body, envelope } = this.events[place] as PlannedEvent
      this.events[place] = { body, signature: signatures[index] as Uint8Array, envelope }
    }
  }

  /** Plans one event of another node, or says why it is not taken. */
  ingest(signed: SignedEvent, origin: Origin = 'arriving'): Ingested {
    const scan = this.#scan
    let envelope: Envelope
    try {
      scan.read(signed.body, 0, signed.body.length)
      if (!isAcceptable(scan, signed, this.#tools.signer.id)) return { outcome: 'rejected', reason: 'malformed' }
      if (this.#has(scan)) return { outcome: 'duplicate' }
      if (!isStamp(scan.lamport, this.#rules.lamportMax())) return { outcome: 'rejected', reason: 'clock-jump' }
      envelope = envelopeOf(scan, signed.body, this.#nextSeq, this.#tools.upcast, origin)
      if (!belongsIn(envelope.event.kind, envelope.stream)) return { outcome: 'rejected', reason: 'malformed' }
    } catch (error) {
      if (error instanceof BodyError || error instanceof PayloadError) return { outcome: 'rejected', reason: 'malformed' }
      throw error
    }
    const { author, stream, authorSeq, lamport } = envelope
    const isOwn = author === this.#tools.signer.id
    const ruling = isOwn ? 'take' : this.#rules.judge(envelope, credentialIn(envelope.event))
    if (ruling === 'defer') return { outcome: 'deferred' }
    if (ruling === 'refuse') return { outcome: 'rejected', reason: 'not-admitted' }
    // Imported events were in a log before: budgets apply only to what arrives from others.
    const isCounted = !isOwn && origin === 'arriving'
    if (ruling === 'over-budget' && isCounted) return { outcome: 'over-budget' }
    const runs = this.#state.runsOf(author, stream)
    const opensGap = authorSeq > (runs?.highest ?? 0) + 1
    if (opensGap && (runs?.gaps ?? 0) >= GAPS_MAX[stream]) return { outcome: 'deferred' }
    if (isCounted && !this.#hasRoom(envelope)) return { outcome: 'over-budget' }
    this.#clock.follow(lamport)
    if (isOwn) this.#own.set(stream, Math.max(this.#nextOwn(stream), authorSeq + 1))
    this.#take({ body: signed.body, signature: signed.signature, envelope })
    return { outcome: 'appended', envelope }
  }

  #hasRoom({ author, stream, payloadBytes, event }: Envelope): boolean {
    this.#budget ??= this.#rules.budget?.()
    return this.#budget?.take(author, stream, payloadBytes, event.kind === 'offers.renewed') ?? true
  }

  #take(event: PlannedEvent): void {
    const { author, stream, authorSeq } = event.envelope
    this.events.push(event)
    extendRuns(this.runs, event.envelope)
    const highest = this.#highest[stream]
    if (authorSeq > (highest.get(author) ?? 0)) highest.set(author, authorSeq)
  }

  /** True if the event is in the log or already in this plan: one commit may bring two copies. */
  #has({ author, stream, authorSeq }: Pick<Header, 'author' | 'stream' | 'authorSeq'>): boolean {
    if (this.#state.has({ author, stream, authorSeq })) return true
    // Nearly every event is above its author's highest in the plan: no search for those.
    if (authorSeq > (this.#highest[stream].get(author) ?? 0)) return false
    return this.events.some(
      ({ envelope }) => envelope.authorSeq === authorSeq && envelope.author === author && envelope.stream === stream,
    )
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

const credentialIn = (event: Event): Uint8Array | undefined => (event.kind === 'node.admitted' ? event.credential : undefined)

function isAcceptable(scanned: Pick<Header, 'stream' | 'author'>, signed: SignedEvent, self: NodeId): boolean {
  if (signed.signature.length !== SIGNATURE_BYTES) return false
  // Private events of others have no business here; our own may come back from a backup.
  if (scanned.stream === 'local') return scanned.author === self
  return signed.body.length <= TRAVELLING_BODY_BYTES_MAX
}
