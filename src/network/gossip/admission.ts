import {
  type ContentRules,
  decodePayload,
  type EventLog,
  type Header,
  isStamp,
  isWellFormed,
  KINDS,
  type NodeId,
  PayloadError,
  type QuarantineReason,
  type ScannedBody,
  type SignedEvent,
  scanBody,
  type VerifySignature,
} from '../../events/index.ts'
import type { FirstHand } from './first-hand.ts'
import type { SeenEvents } from './seen-events.ts'
import type { SpreadRates } from './spread-rates.ts'

/** What gossip may ask of the log, without waiting. */
export type HeldEvents = Pick<EventLog, 'lamport' | 'has' | 'versionVector'>

export type Verdict =
  /** `spread` false: over its author's rate, to be kept but not pushed on. */
  | { verdict: 'new'; header: Header; spread: boolean }
  | { verdict: 'duplicate'; header: Header }
  /** Charged to whoever it says something about: the sender for what anybody would see, the author for what it signed. */
  | { verdict: 'rejected'; reason: QuarantineReason; against: 'sender' | 'author'; header: Header | undefined }
  /** Of an author who is not known to be admitted, or is not any more, or is over its budget or rate: not kept, and nobody pays for it. */
  | { verdict: 'ignored'; header: Header }

type AdmissionOptions = {
  self: NodeId
  held: HeldEvents
  seen: SeenEvents
  rates: SpreadRates
  verify: VerifySignature
  rules: ContentRules
  firstHand: FirstHand
}

/**
 * Decides about each event that arrives: header, copy, then the signature, which costs a thousand times as much and is
 * checked once an event, and then what the network's rules say of its author and its stamp. A relay pays for codec and
 * signature alone, which anybody sees; for the rest, the author who signed it does.
 */
export class Admission {
  readonly #self: NodeId
  readonly #held: HeldEvents
  readonly #seen: SeenEvents
  readonly #rates: SpreadRates
  readonly #verify: VerifySignature
  readonly #rules: ContentRules
  readonly #firstHand: FirstHand

  constructor({ self, held, seen, rates, verify, rules, firstHand }: AdmissionOptions) {
    this.#self = self
    this.#held = held
    this.#seen = seen
    this.#rates = rates
    this.#verify = verify
    this.#rules = rules
    this.#firstHand = firstHand
  }

  /** @param live true for events of the broadcast, which are subject to their author's rate */
  judge(from: NodeId, event: SignedEvent, live: boolean, now: number): Verdict {
    const header = headerOf(event)
    if (header === undefined || header.stream !== 'gossip')
      return { verdict: 'rejected', reason: 'malformed', against: 'sender', header: undefined }
    const { author, authorSeq } = header
    const seen = this.#seen.get(author, authorSeq)
    // Of what is in the log already nobody looks: that would be a read for each copy.
    const isFork = seen !== undefined && author !== this.#self && !isSame(seen.event.body, event.body)
    if (!isFork && (seen !== undefined || this.#held.has(header))) return { verdict: 'duplicate', header }
    // Before the signature: of an author who is shut nothing is taken, whoever wrote it, and it must not cost a check each.
    // A revoked one may show a new admission.
    const mayComeBack = header.kind === KINDS['node.admitted'].number && this.#rules.isRevoked(author)
    if (this.#rules.isShut(author, 'gossip') && !mayComeBack) return { verdict: 'ignored', header }
    if (!isWellFormed(header)) return { verdict: 'rejected', reason: 'malformed', against: 'sender', header: undefined }
    if (!this.#firstHand.takes(from, author, now)) return { verdict: 'ignored', header }
    if (!this.#verify('event', event.body, event.signature, author))
      return { verdict: 'rejected', reason: 'bad-signature', against: 'sender', header }
    if (isFork) return { verdict: 'rejected', reason: 'equivocation', against: 'author', header }
    const credential = header.kind === KINDS['node.admitted'].number ? credentialIn(header) : undefined
    if (this.#rules.judge(header, credential) !== 'take') return { verdict: 'ignored', header }
    if (!isStamp(header.lamport, this.#rules.lamportMax()))
      return { verdict: 'rejected', reason: 'clock-jump', against: 'author', header }
    // After the signature: a forger must not use up somebody else's rate.
    return {
      verdict: 'new',
      header,
      spread: !live || this.#rates.take(header, now),
    }
  }
}

/** Events are some 200 bytes. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at])

function headerOf({ body }: SignedEvent): ScannedBody | undefined {
  try {
    return scanBody(body)
  } catch {
    return undefined
  }
}

/** What cannot be read admits nobody. */
function credentialIn({ kind, payload }: ScannedBody): Uint8Array {
  try {
    const event = decodePayload(kind, payload)
    return event.kind === 'node.admitted' ? event.credential : new Uint8Array()
  } catch (error) {
    if (error instanceof PayloadError) return new Uint8Array()
    throw error
  }
}
